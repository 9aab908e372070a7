#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is typed wrongly is refused in one line, and help is there.

load helper

# usage PATTERN ARGUMENT...
usage() {
	local pattern=$1
	shift
	leat "$@" </dev/null
	exits 2
	prints ''
	says_one "$pattern"
}

@test "wrong usage" {
	usage "leat: there is no command 'rum'; try 'leat --help'" rum
	usage "leat run: no stage is named; try 'leat run --help'" run
	usage "leat run: --mode is .*'fast'; try 'leat run --help'" run -m fast cat
	usage "leat run: --frame is newline, nul or u32, not 'line'; try .*" run --frame line cat
	usage "leat run: --max-record is a size .*'0'; try .*" run --max-record 0 cat
	usage "leat run: --max-record is a size .*'-1'; try .*" run --max-record -1 cat
	usage "leat run: --max-record is a size .*'1X'; try .*" run --max-record 1X cat
	usage "leat run: --max-record is a size .*'8G'; try .*" run --max-record 8G cat
	usage "leat run: --memory is a size from 1M, .*'1000K'; try .*" run --memory 1000K cat
	usage "leat run: --memory is a size from 1M, .*'2000G'; try .*" run --memory 2000G cat
	usage "leat stage: --memory is a size from 1M, .*'much'; try .*" stage --memory much cat
	usage "leat run: --time-log .*'all'; try .*" run --time-log=all cat
	usage "leat run: --dry-run needs -m shell; try .*" run --dry-run cat
	usage "leat stage: no stage is named; try 'leat stage --help'" stage
	usage "leat stage: one stage; .*; try 'leat stage --help'" stage cat cat
	usage "leat: a stage with no command" run ''
	usage "leat: a stage with no command" run each:
	usage "leat run: --batch is a size .*'0'; try .*" run --batch 0 batch:cat
	usage "leat run: --batch is a size .*'5x'; try .*" run --batch 5x batch:cat
	usage "leat run: --batch is a size .*'0l'; try .*" run --batch 0l batch:cat
	usage "leat: a batch of 1073741824 bytes is more than .*; raise --memory" run --batch 1G batch:cat
	usage "leat run: --stall is a whole number .*'-1'; try .*" run --stall -1 each:cat
	usage "leat run: --timeout is a whole number .*'0'; try .*" run --timeout 0 each:cat
	usage "leat: stage 'gone': ./gone: no such command" run 'each:./gone {}'
	echo true >plain
	usage "leat: stage 'plain': ./plain: is not executable" run 'each:./plain {}'
	usage "leat: stage 'work': \.\./work: is not executable" run 'line:../work'
	usage "leat: there is no stage named 'x'; there are: cat, last" run -w x=2 cat last=line:cat
	usage "leat: there is no stage named 'x'; there is: cat" run --serial x line:cat
	usage "leat: stage 'py:x': write py:MODULE:FUNCTION" run py:x
}

@test "an option that could have no effect is refused" {
	usage "leat: --timeout is for line:, batch: and each: commands, and there is none" \
		run --timeout 2 "$STAGES/numbers.py:increment"
	usage "leat: --stall is for line:, batch: and each: commands, and there is none" run --stall 2 cat
	usage "leat: --batch is for batch: commands, and there is none" run --batch 64K line:cat
	usage "leat: --jobs has no effect: .*" run -j4 cat cat
	leat run -j4 cat "$STAGES/numbers.py:increment" < <(seq 3)
	exits 0
}

@test "a run that cannot start leaves the output's file as it was" {
	local mode
	for mode in single threads processes auto; do
		echo kept >file
		leat run -m "$mode" -o file nowhere.py:f <<<a
		exits 2
		leat run -m "$mode" -o file "$STAGES/numbers.py:nothing" <<<a
		exits 2
		[ "$(cat file)" = kept ]
		leat run -m "$mode" -o file "$STAGES/numbers.py:increment" <<<1
		exits 0
		[ "$(cat file)" = 2 ]
	done
}

@test "a name without a file is answered with what was meant" {
	cp "$STAGES/numbers.py" .
	usage "leat: stage 'numbers:increment': did you mean numbers.py:increment\?.*" run numbers:increment
	usage "leat: stage 'numbers\.py:': name its function, as in numbers\.py:FUNCTION" run numbers.py:
}

@test "- is stdin and stdout" {
	seq 3 >records
	leat run -i - -o - cat <records
	exits 0
	silent
	same records out
	leat run -m shell --dry-run -i - -o - cat
	exits 0
	prints cat
	[ ! -e - ]
}

@test "an option that does not exist" {
	leat run --fast cat </dev/null
	exits 2
	prints ''
	grep -qx "leat run: unrecognized option '--fast'" err || fail "names it"
	leat run -i </dev/null
	exits 2
	prints ''
}

@test "leat alone explains itself on stderr, help does on stdout" {
	leat
	exits 2
	prints ''
	grep -q '^usage: leat COMMAND' err
	local words
	for words in --help -h help 'run --help' 'run -h' 'stage --help' 'compare --help'; do
		# shellcheck disable=SC2086 # they are words
		leat $words
		exits 0
		silent
		grep -q '^usage: leat ' out
	done
	leat --version
	exits 0
	silent
	[[ $(<out) =~ ^leat\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "help on a full disk fails" {
	local words
	for words in --help --version 'run --help'; do
		status=0
		# shellcheck disable=SC2086 # they are words
		"$LEAT" $words >/dev/full 2>err || status=$?
		: >out
		exits 3
	done
}
