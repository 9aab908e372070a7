#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A child that a stage's function forks never becomes a second worker; a C function that
# calls exit() fails its record.

load helper

FORKING=$STAGES/forking

# gives OUT STAGE: of the records 1 to 5, in each mode.
gives() {
	local mode expected=$1
	shift
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" "$@" < <(seq 5)
		exits 0
		prints "$expected"
		no_leftovers
	done
}

@test "a child that returns from a function is ended" {
	gives "$(seq 5)" "$FORKING.py:returns"
	grep -q "^leat: a child that a stage's function forked has returned from it, and is ended$" err
	gives "$(seq 5)" "$FORKING.c:returns"
	grep -q "^leat: a child that a stage's function forked has returned from it, and is ended$" err
}

@test "a child that raises is ended" {
	gives "$(seq 5)" "$FORKING.py:raises"
	grep -q "^ValueError: of the child$" err
}

@test "a child of a Python function ends as it likes" {
	gives $'7\n7\n7\n7\n7' "$FORKING.py:exits"
	[ ! -s err ]
}

@test "a child that runs the exit handlers ends as it likes" {
	# They are a sanitizer's, too, which takes what the threads of the parent hold for lost.
	! is_sanitized || skip 'not in a child of a program with threads'
	gives $'7\n7\n7\n7\n7' "$FORKING.c:exits"
	[ ! -s err ]
	gives $'2\n4\n6\n8\n10' "$FORKING.py:pool"
}

@test "a C function that calls exit() fails its record" {
	local mode
	for mode in single threads auto shell; do
		leat run -m "$mode" "$FORKING.c:quits" < <(seq 5)
		exits 3
		prints $'1\n2'
		says_one "leat: stage 'quits': called exit\(5\), record 3: \"3\""
	done
	leat run -m processes "$FORKING.c:quits" < <(seq 5)
	exits 3
	prints $'1\n2'
	says_one "leat: stage 'quits': exited with status 5, 3 times, record 3: \"3\""
}
