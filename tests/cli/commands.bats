#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Commands that take records: batch: and each:, and what line: has in common with them; nothing in a record is run.

load helper

@test "what a command waits for memory is not its time" {
	seq 12 >records
	cat >grow.sh <<'END'
[ $# -eq 0 ] || { printf '%s%0200000d\n' "$1" 0; exit; }
while read -r record; do printf '%s%0200000d\n' "$record" 0; done
END
	sh grow.sh <records >expected
	local stage
	for stage in 'line:sh grow.sh' 'each:sh grow.sh {}'; do
		chain "\"$LEAT\" run --memory 1M --stall 1 --timeout 1 ${stage@Q} <records | { sleep 3; cat; }; exit \${PIPESTATUS[0]}"
		exits 0
		silent
		same expected out
	done
	no_leftovers
}

@test "batch: gives each process as much as is told, the same in every mode" {
	seq 100000 >records
	{ seq 4 | sed 's/.*/30000/' | head -3; echo 10000; } >expected
	local options
	for options in '-m single' '-m threads' '-m shell' '-j 3' '-j auto'; do
		# shellcheck disable=SC2086 # words
		leat run $options --batch 30000l 'batch:wc -l' <records
		exits 0
		silent
		same expected out
		# shellcheck disable=SC2086 # words
		leat run $options 'line:sed -u s/x/y/' --batch 30000l 'batch:wc -l' <records
		exits 0
		silent
		same expected out
	done
	leat run --batch 64K 'batch:wc -c' <records
	exits 0
	[ "$(paste -sd+ out | bc)" = "$(wc -c <records)" ]
	[ "$(sort -n out | tail -1)" -le 65536 ]
	leat run 'batch:cat' < <(printf 'a\nb')
	exits 0
	prints $'a\nb'
	leat run --batch 1000l "batch:printf x" <records
	exits 0
	[ "$(wc -c <out)" = 100 ]
	leat run -j 2 'batch:gzip -c' <records
	exits 0
	gzip -dc out | same records /dev/stdin
	leat run 'batch:head -1' <records
	exits 0
	prints 1
	leat run 'batch:cat >/dev/null; exit 4' < <(seq 5)
	exits 3
	says_one "leat: stage 'cat': exited with status 4, one of records 1 to 5"
	no_leftovers
}

# What a shell would make something of.
evil() {
	printf '%s\n' "\$(touch x)" '`touch x`' '"; touch x; "' "'; touch x; '" "it's" 'a\nb\\' \
		'  sp  ace ' '-n' '--help' '*' '{}' "\$1" '&' '|' '>' '#' '~' '!' ''
}

@test "each: gives records unharmed, and never runs them" {
	evil >records
	cp records expected
	local command
	for command in "printf '%s\n' {}" "printf '%s\n' \"\$1\"" "printf '%s\n' {} | cat" \
		"printf '%s\n' \"{}\" | cat" "printf '%s\n' '{}' | cat" \
		"printf '%s\n' x{} | sed 's/^x//'" "printf '%s\n' \"\$1\"; true"; do
		leat run -j 2 "each:$command" <records
		exits 0
		silent
		same expected out
	done
	evil | tr '\n' '\0' >records
	printf 'two\nlines\0' >>records
	cp records expected
	leat run --frame nul "each:printf '%s\\0' {}" <records
	exits 0
	silent
	same expected out
	[ ! -e x ]
	no_leftovers
}

@test "each: in every mode, any number of lines for a record" {
	seq 200 >records
	awk '{for (i = 0; i < $1 % 3; i++) print $1}' records >expected
	each_way "each:for i in \$(seq \$((\$1 % 3))); do echo \$1; done"
	no_leftovers
}

@test "each: says what no argument can be" {
	{
		echo a
		head -c 200000 /dev/zero | tr '\0' x
		echo
	} >records
	leat run 'each:echo {}' <records
	exits 3
	prints a
	says_one "leat: stage 'echo': cannot take a record longer than an argument can be, 131071 bytes; batch: and line: take records on stdin, record 2: \"x+\"\\.\\.\\. 200000 bytes"
	printf 'a\0b\n' >records
	leat run 'each:echo {}' <records
	exits 3
	says_one "leat: stage 'echo': cannot take a record with a NUL byte, which no argument can hold; batch: and line: take records on stdin, record 1: \"a\\\\x00b\""
	# The words around a record, or several of it, can be what is too much.
	head -c 131071 /dev/zero | tr '\0' x >records
	leat run 'each:echo x{}' <records
	exits 3
	says_one "leat: stage 'echo': its arguments with the record are longer than they can be; batch: and line: take records on stdin, record 1: \"x+\"\\.\\.\\. 131071 bytes"
	leat run 'each:test {} -lt 3' < <(seq 5)
	exits 3
	says_one "leat: stage 'test': exited with status 1, record 3: \"3\""
	leat run 'each:head -c 1G /dev/zero' < <(echo 1)
	exits 3
	says_one "leat: stage 'head': gives more than a batch can hold, .*; raise --memory, record 1: \"1\""
	no_leftovers
}

@test "a command knows its stage, its worker and its record" {
	leat run -w x=2 "x=each:echo \$LEAT_STAGE \$LEAT_RECORD \$((LEAT_WORKER < 2))" < <(seq 3)
	exits 0
	prints $'x 1 1\nx 2 1\nx 3 1'
	leat run --batch 2l "batch:cat >/dev/null; echo \$LEAT_RECORD" < <(seq 3)
	exits 0
	prints $'1-2\n3'
}

@test "a command that gives nothing is named, and ended where that is wished" {
	local kind
	for kind in each line batch; do
		leat run --stall 1 --timeout 2 "$kind:sleep 100" < <(echo 1)
		exits 3
		[ "$(wc -l <err)" = 2 ] || fail 'two lines'
		head -1 err | grep -qE "^leat: stage 'sleep': process [0-9]+ has (given|answered) nothing for 1 s"
		tail -1 err | grep -qE '2 s.* was ended, record 1(: "1")?$'
	done
	no_leftovers
}

@test "--tag names the record on stderr" {
	leat run --tag -j 2 "each:echo \$1; echo one >&2; printf two >&2" < <(seq 20)
	exits 0
	seq 20 >expected
	same expected out
	for i in $(seq 20); do
		printf "[echo record $i] %s\n" one two
	done | sort >expected
	sort err | same expected /dev/stdin
}

@test "Ctrl-C finishes what a command has been given" {
	begin run 'each:sleep 0.5; echo {}'
	give '1\n'
	sleep 0.2
	kill -INT "$run"
	ended
	exits 130
	prints 1
	no_leftovers
	finish
}

@test "kill -9 of leat leaves no command behind" {
	begin run 'each:sleep 100 | cat'
	give '1\n'
	busy() { [ "$(marked | wc -l)" -ge 4 ]; }
	eventually busy
	kill -9 "$run"
	wait "$run" || true
	no_leftovers
	finish
}

@test "kill -9 of leat leaves none of a hundred commands behind" {
	begin run -j 100 'line:sleep 100; cat'
	seq 100 >&8
	busy() { [ "$(marked | wc -l)" -ge 200 ]; }
	eventually busy
	kill -9 "$run"
	wait "$run" || true
	no_leftovers
	finish
}

@test "as many commands run as there are workers" {
	mkdir seen
	# Each goes on when it has seen them all.
	leat run -j 100 --timeout 30 'each:touch seen/$1; until [ "$(ls seen | wc -l)" = 100 ]; do sleep 0.1; done' < <(seq 100)
	exits 0
	silent
}

@test "each: refuses to hand a record to a further shell as code" {
	echo '$(touch ran)' >records
	local command
	for command in 'sh -c "echo {}"' "bash -euo pipefail -c 'echo {}' | cat" 'eval echo {}'; do
		leat run "each:$command" <records
		exits 2
		says_one ".* would read its record as code; hand it on as an argument, as in sh -c 'echo \"[$]1\"' sh [{][}]"
	done
	leat run "each:sh -c 'echo \"\$1\"' sh {}" <records
	exits 0
	same records out
	[ ! -e ran ]
}

@test "a process that has ended while its child holds stdout is told as that" {
	leat run --stall 1 --timeout 2 'each:sleep 100 & echo {}' < <(echo 1)
	exits 3
	head -1 err | grep -qE "^leat: stage 'sleep': process [0-9]+ has given nothing for 1 s, record 1; it has ended, but what it has started holds its stdout; --timeout would end that$"
	no_leftovers
}

@test "a command's stage has the same name in every mode" {
	local mode
	for mode in single threads processes shell; do
		leat run -m $mode 'each:echo $LEAT_STAGE' 'each:echo {} $LEAT_STAGE' < <(echo 1)
		exits 0
		prints 'echo echo#2'
	done
}
