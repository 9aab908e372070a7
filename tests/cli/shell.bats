#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Commands as stages, and the line of --dry-run that gives the same in a shell.

load helper

# pasted OPTION-OR-STAGE...: runs it on the file numbers, and then the line that it
# prints, by sh; both must give the same. The line is in the file line.
pasted() {
	leat run -m shell "$@" <numbers
	exits 0
	silent
	mv out ours
	leat run -m shell --dry-run "$@" <numbers
	exits 0
	silent
	[ "$(wc -l <out)" = 1 ] || [[ $* == *$'\n'* ]] || fail "it is one line"
	mv out line
	cat line
	sh <line >out 2>err <&- || fail "the line fails" || return
	sh -c "$(cat line)" <numbers >out 2>err || fail "the line fails" || return
	silent
	same ours out
}

@test "the line of functions gives the same in a shell" {
	seq 5 >numbers
	pasted "$STAGES/numbers.c:increment" "$STAGES/numbers.py:twice"
	grep -qxF "$LEAT stage $STAGES/numbers.c:increment | $LEAT stage $STAGES/numbers.py:twice" line
}

@test "the line calls leat by its name where the shell finds it" {
	ln -s "$LEAT" leat
	seq 5 >numbers
	PATH=$PWD:$PATH pasted "$STAGES/numbers.c:increment" cat
	grep -qxF "leat stage $STAGES/numbers.c:increment | cat" line
	rm leat
	printf '#!/bin/sh\necho another\n' >leat
	chmod +x leat
	PATH=$PWD:$PATH pasted "$STAGES/numbers.c:increment" cat
	grep -qF "$LEAT" line
}

@test "names with quotes, blanks and signs work in the line" {
	local folder="it's \$HOME; \"a\" \`b\` (c) *"
	mkdir "$folder"
	cp "$STAGES"/numbers.* "$folder"
	cp "$STAGES/numbers.py" ./-n.py
	seq 5 >"$folder/in & out"
	cp "$folder/in & out" numbers
	pasted "$folder/numbers.c:increment" "$folder/numbers.py:twice"
	pasted "my-name=$folder/numbers.py:twice" ./-n.py:increment
	leat run -m shell --dry-run -i "$folder/in & out" -o "$folder/re'sult" "$folder/numbers.c:increment" cat
	exits 0
	sh out
	same <(seq 2 6) "$folder/re'sult"
}

@test "commands keep their quotes in the line" {
	printf '%s\n' 'a b' "it's" '"x"' 'y\z' >numbers
	# shellcheck disable=SC2016 # for the stages' shell
	pasted 'sed "s/a b/\"c\" '"'d'"'/"' "grep -v '^y'"
	# shellcheck disable=SC2016
	pasted 'awk '"'{ print NR \": \" \$0 }'" 'cat; echo $((1 + 2))' 'A=b; cat && echo "$A" || false'
	pasted "tr ' ' '_'" 'stream:cat | cat' '(cat)' '{ cat; }' 'cat # all' '! grep -c never'
	pasted 'name=cat' 'A=b cat' 'if true; then cat; fi' 'while read -r l; do printf "%s\n" "$l"; done'
	pasted $'cat\ncat' 'cat <numbers' 'cat 2>&1' 'cat &
wait'
}

@test "options go into the line" {
	printf 'a\nb\0c\0' >numbers
	pasted --frame nul --max-record 1000 --memory 2M --python python3 "$STAGES/octets.py:reverse" "$STAGES/octets.c:copy"
	seq 5 >numbers
	leat run -m shell --dry-run --time-log=full --python "$(command -v python3)" "$STAGES/numbers.py:twice"
	mv out line
	sh -c "$(cat line)" <numbers >out 2>err
	same <(seq 2 2 10) out
	[ "$(grep -c '^Time cost for twice' err)" = 5 ]
}

@test "a dry run runs nothing" {
	touch numbers
	leat run -m shell --dry-run -i nowhere -o sums "touch ran" "$STAGES/numbers.py:twice"
	exits 0
	[ ! -e ran ]
	[ ! -e sums ]
}

@test "commands are what a shell makes of them" {
	local mode
	for mode in "${MODES[@]}"; do
		# shellcheck disable=SC2016 # for the stages' shell
		leat run -m "$mode" 'grep -v 3 | tr 12 xy' 'LC_ALL=C sort -r; echo "$((6 * 7))"' < <(seq 3)
		exits 0
		silent
		prints $'y\nx\n42'
	done
	no_leftovers
}

@test "a command may give no line, or many, or read nothing" {
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" 'true' cat < <(seq 3)
		exits 0
		prints ''
		leat run -m "$mode" 'cat >/dev/null' "$STAGES/numbers.c:twice" 'wc -l' < <(seq 3)
		exits 0
		prints 0
		leat run -m "$mode" 'seq 20000' "$STAGES/numbers.c:twice" </dev/null
		exits 0
		same <(seq 2 2 40000) out
	done
	no_leftovers
}

@test "what a command writes to stderr passes" {
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" 'cat; echo told >&2' "$STAGES/numbers.c:twice" < <(seq 2)
		exits 0
		prints $'2\n4'
		says told
	done
}

@test "commands get binary data as it is" {
	head -c 3000000 /dev/urandom >noise
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" cat 'gzip -1' 'gzip -d' <noise
		exits 0
		same noise out
	done
}

@test "commands in single mode run one after the other" {
	local mode first='echo first-begins >>log; cat; sleep 0.2; echo first-ends >>log'
	leat run -m single "$first" 'echo second-begins >>log; cat' "$STAGES/octets.c:copy" \
		'echo third-begins >>log; cat' < <(seq 5)
	exits 0
	prints "$(seq 5)"
	same <(printf '%s\n' first-begins first-ends second-begins third-begins) log
	for mode in threads processes shell auto; do
		rm log
		leat run -m "$mode" "$first" 'echo second-begins >>log; cat' < <(seq 5)
		exits 0
		[ "$(tail -1 log)" = first-ends ] || fail "they run side by side: $(cat log)"
	done
	no_leftovers
}

@test "a command sees the caller's environment and folder" {
	local mode
	for mode in "${MODES[@]}"; do
		# shellcheck disable=SC2016 # for the stage's shell
		CALLER=me leat run -m "$mode" 'cat; echo "$CALLER"; pwd' </dev/null
		exits 0
		prints $'me\n'"$PWD"
	done
}

@test "a command inherits no descriptor of the run" {
	local mode
	timeout 10 ls /proc/self/fd </dev/null >expected 2>err 3>&-
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" "$STAGES/octets.py:copy" 'ls /proc/self/fd' "$STAGES/octets.c:copy" </dev/null
		exits 0
		same expected out
	done
}

@test "options of commands are their own" {
	leat run -m threads -- 'head -n 2' cat < <(seq 5)
	exits 0
	prints $'1\n2'
}
