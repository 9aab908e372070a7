#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One stage as a program of its own, in pipes that a shell makes.

load helper

@test "functions are filters in a shell's pipe" {
	chain "seq 1000 | \"$LEAT\" stage $STAGES/numbers.py:increment | \"$LEAT\" stage $STAGES/numbers.c:twice | sort -n"
	exits 0
	silent
	same <(seq 4 2 2002) out
	no_leftovers
}

@test "a command is a stage too" {
	leat stage 'tr a-z A-Z' < <(echo abc)
	exits 0
	silent
	prints ABC
	leat stage stream:cat < <(echo abc)
	prints abc
}

@test "a line is answered before the next one comes" {
	local language
	for language in c py; do
		begin stage "$STAGES/numbers.$language:twice"
		give '1\n'
		eventually out_is 2
		give '5\n'
		eventually out_is $'2\n10'
		finish
		ended
		exits 0
		silent
	done
	no_leftovers
}

@test "a reader that goes away ends it without a word" {
	local stage
	for stage in "$STAGES/numbers.c:twice" "$STAGES/numbers.py:twice" cat; do
		chain "seq 100000 | { \"$LEAT\" stage $stage; echo \$? >status; } | head -1 >/dev/null"
		[ "$(cat status)" = 141 ] || fail "status $(cat status)"
		silent
		no_leftovers
	done
}

@test "a reader that goes away ends it while nothing comes in" {
	local language
	for language in c py; do
		mkfifo in reader
		exec 8<>in 9<>reader
		"$LEAT" stage "$STAGES/numbers.$language:twice" <in >reader 2>err 3>&- 8>&- 9>&- &
		run=$!
		: >out
		give '1\n'
		read -r line <&9
		[ "$line" = 2 ]
		exec 9>&-
		ended
		exits 141
		silent
		finish
		rm in reader
	done
	no_leftovers
}

@test "an interrupt ends it without a word, after what it has read" {
	local language
	for language in c py; do
		begin stage "$STAGES/numbers.$language:twice"
		give '1\n'
		eventually out_is 2
		kill -INT "$run"
		ended
		exits 130
		silent
		finish
	done
	no_leftovers
}

@test "a failing record is told as in a run" {
	cp "$STAGES/failing.py" .
	leat stage failing.py:fail < <(seq 5)
	exits 3
	prints $'1\n2'
	says "leat: stage 'fail': failing.py:9: ValueError: three is too many, record 3: \"3\""
	leat stage named=failing.py:fail < <(seq 5)
	says "leat: stage 'named': failing.py:9: ValueError: three is too many, record 3: \"3\""
	no_leftovers
}

@test "a stage that cannot start is told as in a run" {
	leat stage nowhere.py:f </dev/null
	exits 2
	says "leat: stage 'f': nowhere.py: No such file or directory"
	leat stage --python nowhere "$STAGES/numbers.py:twice" </dev/null
	exits 2
	says_one "leat: stage 'twice': nowhere: No such file or directory.*"
}

@test "the options are those of a run" {
	leat stage --frame nul --max-record 10 --time-log "$STAGES/octets.py:reverse" < <(printf 'a\nb\0')
	exits 0
	same <(printf 'b\na\0') out
	says_one 'Time cost for reverse [0-9.e-]+'
}

@test "a full disk" {
	status=0
	seq 5 | "$LEAT" stage "$STAGES/numbers.c:twice" >/dev/full 2>err || status=$?
	: >out
	exits 3
	says_one 'leat: stdout: No space left on device.*'
}
