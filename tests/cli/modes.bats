#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One chain, written once, in every mode: the origin's two components.

load helper

ORIGIN=$LEAT_SOURCE/examples/origin

# Few repeats: what is computed stays the same.
export ORIGIN_REPEATS=3

setup_file() {
	export ORIGIN_REPEATS
}

# in_every_mode STAGE...: runs it on 3 numbers; add and mul are the origin's.
in_every_mode() {
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" "$@" < <(printf '5\n1\n7\n')
		exits 0 && silent && prints $'7260\n1\n12703320' || return
	done
}

@test "the Python components give the same in every mode" {
	in_every_mode "$ORIGIN/mul.py:mul" "$ORIGIN/add.py:add"
	no_leftovers
}

@test "the C components give the same in every mode" {
	in_every_mode "$ORIGIN/mul.c:mul" "$ORIGIN/add.c:add"
	no_leftovers
}

@test "C may come before Python in every mode" {
	in_every_mode "$ORIGIN/mul.c:mul" "$ORIGIN/add.py:add"
	no_leftovers
}

@test "Python may come before C in every mode" {
	in_every_mode "$ORIGIN/mul.py:mul" "$ORIGIN/add.c:add"
	no_leftovers
}

@test "a program may come before a Python function in every mode" {
	in_every_mode "python3 $ORIGIN/mul_program.py 2>/dev/null" "$ORIGIN/add.py:add"
	no_leftovers
}

@test "a C function may come before a program in every mode" {
	in_every_mode "$ORIGIN/mul.c:mul" "stream:python3 $ORIGIN/add_program.py 2>/dev/null"
	no_leftovers
}

@test "C, Python and a command may alternate in every mode" {
	in_every_mode cat "$ORIGIN/mul.c:mul" cat "$ORIGIN/add.py:add" cat "$STAGES/octets.c:copy"
	no_leftovers
}

@test "the article's programs run as bare commands in every mode" {
	cd "$ORIGIN"
	local mode work=$BATS_TEST_TMPDIR/work
	for mode in "${MODES[@]}"; do
		status=0
		printf '5\n7\n' | "$LEAT" run -m "$mode" 'python3 mul_program.py' \
			'python3 add_program.py' >"$work/out" 2>"$work/err" || status=$?
		[ "$status" = 0 ]
		[ "$(<"$work/out")" = $'7260\n12703320' ]
		[ "$(grep -cE '^Time cost for (mul|add) [0-9.e-]+$' "$work/err")" = 4 ]
	done
	cd "$work"
	no_leftovers
}

@test "the first program may be given its input by hand" {
	begin run "python3 $ORIGIN/mul_program.py 2>/dev/null" "python3 $ORIGIN/add_program.py 2>/dev/null"
	give '5\n'
	eventually out_is 7260
	finish
	ended
	exits 0
	silent
	no_leftovers
}

@test "auto is the mode that nobody has to name" {
	leat run "$ORIGIN/mul.c:mul" "$ORIGIN/add.py:add" < <(echo 5)
	exits 0
	silent
	prints 7260
}

@test "the time log gives each call a line on stderr and leaves stdout alone" {
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" --time-log "$ORIGIN/mul.py:mul" "$ORIGIN/add.c:add" < <(printf '5\n7\n')
		exits 0
		prints $'7260\n12703320'
		[ "$(wc -l <err)" = 4 ] || fail "expected 4 lines"
		[ "$(grep -cE '^Time cost for mul [0-9]+\.[0-9]+(e-[0-9]+)?$' err)" = 2 ] || fail mul
		[ "$(grep -cE '^Time cost for add [0-9]+\.[0-9]+(e-[0-9]+)?$' err)" = 2 ] || fail add
	done
	no_leftovers
}

@test "the full time log tells the record, the cpu time and the worker" {
	local mode record
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" --time-log=full "$ORIGIN/mul.c:mul" "$ORIGIN/add.py:add" < <(printf '5\n7\n')
		exits 0
		prints $'7260\n12703320'
		[ "$(wc -l <err)" = 4 ] || fail "expected 4 lines"
		for record in 1 2; do
			[ "$(grep -cE "^Time cost for (mul|add) [0-9].*\brecord $record\b.*\bcpu [0-9].*\bworker " err)" = 2 ] ||
				fail "expected 2 lines of record $record"
		done
	done
}

@test "the time log measures the call, not the wait for a record" {
	cat >nap.py <<-'EOF'
		import time
		def nap(n: int) -> int:
		    time.sleep(0.05)
		    return n
	EOF
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" --time-log "$STAGES/numbers.py:increment" nap.py:nap < <(seq 3)
		exits 0
		awk '/ nap / && ($5 < 0.05 || $5 > 0.5) || / increment / && $5 > 0.04 { bad = 1 } END { exit bad }' err ||
			fail "a time is wrong"
	done
}

@test "factorials have the same digits in C and in Python" {
	printf '%s\n' 0 1 20 21 25 100 -3 1000 >numbers
	leat run -m single -i numbers "$ORIGIN/mul.py:mul"
	exits 0
	sed -n 4,5p out >two
	printf '51090942171709440000\n15511210043330985984000000\n' | cmp - two
	mv out expected
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" -i numbers "$ORIGIN/mul.c:mul"
		exits 0
		silent
		same expected out
	done
}

@test "sums of 0 and of negative numbers are Python's in C" {
	local mode language
	for mode in "${MODES[@]}"; do
		for language in c py; do
			leat run -m "$mode" "$ORIGIN/add.$language:add" < <(printf '%s\n' 0 -1 -100 1 100000 -99999999999999999999999)
			exits 0
			silent
			prints $'0\n0\n0\n1\n5000050000\n0'
		done
	done
}

@test "integers are read as Python reads them, in C too" {
	local language
	for language in c py; do
		leat run "$ORIGIN/add.$language:add" < <(printf ' 3\n+3\n3 \n\t003\r\n')
		exits 0
		prints $'6\n6\n6\n6'
	done
}

@test "numbers that are none fail in C and in Python, and name the record" {
	local language
	for language in c py; do
		leat run "$ORIGIN/add.$language:add" < <(printf '1\n2x\n3\n')
		exits 3
		prints 1
		says_one "leat: stage 'add': .*not an int.*, record 2: \"2x\""
		leat run "$ORIGIN/add.$language:add" < <(printf '1\n\n3\n')
		exits 3
		prints 1
		says_one "leat: stage 'add': .*not an int.*, record 2.*"
	done
}
