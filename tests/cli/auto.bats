#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# -j auto and -w NAME=auto: as many workers as are of use.

load helper

# Workers come and go by what calls take, which on a busy machine changes slowly.
PATIENCE=40

NUMBERS=$STAGES/numbers

# Sleeps for as many milliseconds as the record says.
nap_stage() {
	cat >nap.py <<-'EOF'
		import time
		def nap(ms: int) -> int:
		    time.sleep(ms / 1000)
		    return ms
	EOF
}

# A second worker is of no use where there is one core.
needs_two_cores() {
	[ "$(nproc)" -ge 2 ] || skip "one core"
}

# told N: the last change of the number of workers was to N.
told() {
	[ "$(grep '^Workers ' err | tail -1 | cut -d' ' -f2)" = "$1" ]
}

answered() {
	[ "$(wc -l <out)" -ge "$1" ]
}

used_second() {
	grep -q ' worker 1 pid ' err
}

# The number of the process that the second worker lives in, now.
second() {
	sed -n 's/.* worker 1 pid //p' err | tail -1
}

# feed TEXT COMMAND...: gives some such records again and again until the command succeeds.
feed() {
	local text=$1
	shift
	until "$@"; do
		give "$text\\n%.0s" {1..5}
		sleep 0.1
		[ "$(wc -l <out)" -lt 1000 ] || fail "never came true: $*" || return
	done
}

is_another() {
	[ "$(second)" != "$1" ]
}

@test "auto changes no byte of the output, in any mode" {
	local mode
	seq 20000 >numbers
	seq 4 2 40002 >expected
	for mode in threads processes shell auto; do
		leat run -m "$mode" -j auto -i numbers "$NUMBERS.c:increment" "$NUMBERS.py:twice"
		exits 0
		silent
		same expected out
		leat run -m "$mode" -w increment=auto -w twice=auto -i numbers \
			"$NUMBERS.c:increment" "$NUMBERS.py:twice"
		exits 0
		silent
		same expected out
		leat run -m "$mode" -j auto --serial twice -i numbers \
			"$NUMBERS.py:increment" cat "$NUMBERS.c:twice"
		exits 0
		silent
		same expected out
		leat run -m "$mode" -j auto --unordered -i numbers "$NUMBERS.c:increment" "$NUMBERS.c:twice"
		exits 0
		silent
		sort -n out >sorted
		same expected sorted
	done
	leat stage -j auto "$NUMBERS.c:increment" <numbers
	exits 0
	silent
	seq 2 20001 >expected
	same expected out
	no_leftovers
}

@test "calls of a slow stage overlap, in any mode" {
	needs_two_cores
	nap_stage
	local mode
	for mode in threads processes shell auto; do
		begin run -m "$mode" --time-log=full -w nap=auto nap.py:nap
		give '30\n%.0s' {1..20}
		feed 30 used_second
		finish
		ended
		exits 0
		[ "$(grep -c '^Time' err)" = "$(grep -c '^30$' out)" ] || fail "expected all lines"
		grep -q '^Workers 2 for nap after record [0-9]*$' err || fail "expected a change"
	done
	no_leftovers
}

@test "a quick chain that waits for its input uses one worker" {
	local mode i
	for mode in threads processes shell auto; do
		begin run -m "$mode" --time-log=full -j auto "$NUMBERS.c:increment" "$NUMBERS.c:twice"
		for i in {1..30}; do
			give '%s\n' "$i"
			eventually answered "$i"
		done
		case $mode in
		# No process was started that is not needed.
		processes) [ "$(marked | wc -l)" -le 5 ] || fail "too many processes" ;;
		esac
		finish
		ended
		exits 0
		! used_second || fail "expected one worker"
		! grep '^Workers' err || fail "expected no change"
	done
	no_leftovers
}

@test "workers come and go as the cost of the records changes" {
	needs_two_cores
	nap_stage
	begin run --time-log=full -w nap=auto nap.py:nap
	give '%s\n' 0 0 0 0
	eventually answered 4
	! grep '^Workers' err || fail "expected no change"
	give '50\n%.0s' {1..12}
	eventually told 2
	feed 0 told 1
	# Nobody misses one that has nothing to do; when it has again, another comes.
	local killed
	killed=$(second)
	kill -9 "$killed"
	feed 50 is_another "$killed"
	finish
	ended
	exits 0
	! grep -v '^Time\|^Workers' err || fail "expected no more"
	no_leftovers
}

@test "a worker that is not needed before the end is not waited for" {
	needs_two_cores
	# The second one to load it takes its time.
	cat >late.py <<-'EOF'
		import os, time
		try:
		    os.mkdir("loaded")
		except FileExistsError:
		    time.sleep(1000)
		def nap(n: int) -> int:
		    time.sleep(0.1)
		    return n
	EOF
	leat run -w nap=auto late.py:nap < <(seq 12)
	exits 0
	silent
	prints "$(seq 12)"
	no_leftovers
}

@test "a class stays with one worker" {
	leat run -j auto "$STAGES/shapes.py:Total" "$NUMBERS.py:increment" < <(seq 4)
	exits 0
	silent
	prints $'2\n4\n7\n11'
	leat run -w Total=auto "$STAGES/shapes.py:Total" < <(seq 4)
	exits 2
	says_one "leat: stage 'Total': Total is a class, .* it cannot have several workers"
	no_leftovers
}

@test "auto is refused where a number is" {
	leat run -m single -j auto "$NUMBERS.c:twice" </dev/null
	exits 2
	says "leat run: -m single is one worker: it goes with neither -j nor -w; try 'leat run --help'"
	leat run -w twice=auto --serial twice "$NUMBERS.c:twice" </dev/null
	exits 2
	says "leat: stage 'twice' cannot be serial and have auto workers"
	leat run -w c=auto c=cat </dev/null
	exits 2
	says "leat: stage 'c' is a command: the whole stream goes through one process"
	leat run -j many "$NUMBERS.c:twice" </dev/null
	exits 2
	says "leat run: --jobs is a number from 1 to 256 or auto, not 'many'; try 'leat run --help'"
	leat run -w twice=many "$NUMBERS.c:twice" </dev/null
	exits 2
	says "leat run: --workers is NAME=N, as in mul=4, or NAME=auto, not 'twice=many'; try 'leat run --help'"
}

@test "the line for a shell says auto too" {
	leat run -m shell -n -j auto -w twice=3 -w half=auto a.py:f b.py:twice c.py:half
	exits 0
	sed "s,$LEAT,leat,g" out >line
	printf '%s\n' 'leat stage --jobs=auto a.py:f | leat stage --workers=twice=3 b.py:twice | leat stage --workers=half=auto c.py:half' |
		cmp - line || fail "another line"
}
