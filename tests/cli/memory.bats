#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --memory: what is in flight is bounded, the output is the same, and a record that
# cannot fit says so.

load helper

C=$STAGES/growing.c
PY=$STAGES/growing.py

# watched BYTES ARGUMENT...: runs leat on the file records; its areas never take more. A run
# that the watcher did not get to see, as a busy machine has it, is no measurement.
watched() {
	local most=$1
	shift
	for _ in 1 2 3; do
		status=0
		timeout -k 5 "$LIMIT" python3 "$BATS_TEST_DIRNAME/resident.py" most \
			"$LEAT" "$@" <records >out 2>err 3>&- || status=$?
		exits 0 && silent || return
		[ "$(<most)" = 0 ] || break
	done
	stayed_within "$most" "$*"
}

# stayed_within BYTES WHAT: by the file most. The tables before the areas are some KiB.
stayed_within() {
	if [ "$(<most)" = 0 ] || [ "$(<most)" -gt $(($1 + 262144)) ]; then
		fail "$(<most) bytes were taken by: $2"
	fi
}

# What the stages thousandfold and shorten make of the file records.
shortened() {
	awk '{ s = ""; while (length(s) < 40) s = s $0; print substr(s, 1, 40) }' records
}

@test "a stage that expands a thousandfold stays within --memory" {
	seq 2000 >records
	shortened >expected
	local options
	for options in '-m single' '-m threads' '-m processes' '-m shell' '-j3' '-m processes -w thousandfold=3'; do
		# shellcheck disable=SC2086 # they are words
		watched 2097152 run $options --memory 2M "$C:thousandfold" "$C:shorten"
		same expected out
	done
	for options in '-m single' '-m threads' '-m processes' '-j3'; do
		# shellcheck disable=SC2086 # they are words
		watched 2097152 run $options --memory 2M "$PY:thousandfold" "$C:shorten"
		same expected out
	done
	no_leftovers
}

@test "forty records of 10 MiB go through 64 MiB" {
	local mode
	large() {
		python3 -c 'import sys
for i in range(40): sys.stdout.buffer.write(b"%d" % i + b"x" * (10 << 20) + b"\n")'
	}
	for mode in threads processes; do
		large | python3 "$BATS_TEST_DIRNAME/resident.py" most "$LEAT" run -m "$mode" --memory 64M \
			"$STAGES/octets.c:copy" "$STAGES/octets.c:copy" 2>err | cmp - <(large)
		stayed_within 67108864 "$mode"
	done
	no_leftovers
}

@test "records that grow without a warning are the same in every mode" {
	seq 3000 >records
	leat run -m single "$C:burst" "$C:burst" <records
	exits 0
	mv out expected
	local options
	for options in '-m single' '-m threads' '-m processes' '-m shell' '-j1' '-j3' '-w burst=3' '-m processes -j2'; do
		# shellcheck disable=SC2086 # they are words
		watched 1048576 run $options --memory 1M "$C:burst" "$C:burst"
		same expected out
	done
	no_leftovers
}

@test "a class is called once for each record, however short memory is" {
	seq 500 >records
	leat run -m single "$PY:Numbered" "$C:shorten" <records
	exits 0
	mv out expected
	[ "$(tail -c 41 expected | cut -d' ' -f1)" = 500 ] || fail "it has seen all"
	local options
	for options in '-m threads' '-m processes' '-m shell' '-j1' '-j3'; do
		# shellcheck disable=SC2086 # they are words
		watched 1048576 run $options --memory 1M "$PY:Numbered" "$C:shorten"
		same expected out
	done
	no_leftovers
}

@test "commands stay within --memory" {
	seq 40 >records
	cat >grow.sh <<'END'
[ $# -eq 0 ] || { printf '%s%0200000d\n' "$1" 0; exit; }
while read -r record; do printf '%s%0200000d\n' "$record" 0; done
END
	sh grow.sh <records >expected
	local stage options batch
	for stage in 'line:sh grow.sh' 'each:sh grow.sh {}' 'batch:sh grow.sh'; do
		batch=
		[[ $stage != batch:* ]] || batch='--batch 1l'
		for options in '' '-j 2' '-j 4'; do
			# shellcheck disable=SC2086 # words
			watched $((1 << 20)) run $options --memory 1M $batch "$stage"
			same expected out
		done
	done
	no_leftovers
}

@test "an input record that does not fit into --memory" {
	{
		seq 3
		head -c 300000 /dev/zero | tr '\0' x
		echo
		seq 3
	} >records
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" --memory 1M "$STAGES/octets.c:copy" <records
		exits 3
		prints $'1\n2\n3'
		says 'leat: stdin: record 4 is longer than the 262143 bytes that fit into memory; raise --memory'
	done
	leat run --memory 2M "$STAGES/octets.c:copy" <records
	exits 0
	same records out
}

@test "a result that does not fit into --memory" {
	printf '%s\n' a b "$(printf '%0300d' 0)" c >records
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" --time-log --memory 1M "$C:thousandfold" "$C:shorten" <records
		exits 3
		[ "$(wc -l <out)" = 2 ] || fail "what came before is out"
		grep -v '^Time' err >said
		mv said err
		says_one "leat: stage 'thousandfold': gives 300001 bytes or more, of which 262144 fit into memory; raise --memory, record 3: \"0*.*"
		leat run -m "$mode" --time-log --memory 1M "$PY:thousandfold" "$C:shorten" <records
		exits 3
		[ "$(wc -l <out)" = 2 ] || fail "what came before is out"
		grep -v '^Time' err >said
		mv said err
		says_one "leat: stage 'thousandfold': thousandfold\(\) gave 300001 bytes, of which 262144 fit into memory; raise --memory, record 3: \"0*.*"
	done
	no_leftovers
}
