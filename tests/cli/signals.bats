#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Interrupts, and ends by force: what was read is finished, one line is said, and
# nobody stays behind.

load helper

# The chains that the modes are tried with; commands are first, last and between.
CHAINS=(
	"$STAGES/octets.c:copy $STAGES/numbers.c:increment"
	"$STAGES/octets.py:copy $STAGES/numbers.py:increment"
	"$STAGES/octets.c:copy cat $STAGES/numbers.py:increment"
	"cat $STAGES/numbers.py:increment $STAGES/octets.c:copy cat"
)

# each_chain FUNCTION: calls it with the mode and the stages of each.
each_chain() {
	local mode words
	for mode in "${MODES[@]}"; do
		for words in "${CHAINS[@]}"; do
			# shellcheck disable=SC2086 # they are words
			"$1" "$mode" $words || return
			no_leftovers || return
		done
	done
}

# Whether a line comes out before the input ends: not behind a command in single mode.
answers_at_once() {
	[ "$1" != single ] || [[ " $* " != *' cat '* ]]
}

interrupt_drains() {
	begin run -m "$@"
	give '1\n'
	if answers_at_once "$@"; then
		eventually out_is 2
	else
		sleep 0.3
	fi
	kill -INT "$run"
	ended
	exits 130 && says_one 'leat: interrupted.*' || return
	if answers_at_once "$@"; then
		prints 2 || return
	fi
	finish
}

@test "an interrupt ends an idle run with one line" {
	each_chain interrupt_drains
}

terminated() {
	begin run -m "$@"
	give '1\n'
	if answers_at_once "$@"; then
		eventually out_is 2
	else
		sleep 0.3
	fi
	kill -TERM "$run"
	ended
	exits 143 && says_one 'leat: terminated.*' || return
	finish
}

@test "SIGTERM ends an idle run with one line" {
	CHAINS=("${CHAINS[1]}" "${CHAINS[3]}")
	each_chain terminated
}

@test "a hangup ends a run as SIGTERM does" {
	begin run -m processes "$STAGES/octets.py:copy"
	give '1\n'
	eventually out_is 1
	kill -HUP "$run"
	ended
	exits 143
	says_one 'leat: terminated.*'
	no_leftovers
}

@test "a run under nohup lives on" {
	mkfifo in
	exec 8<>in
	nohup "$LEAT" run "$STAGES/octets.c:copy" <in >out 2>err 3>&- 8>&- &
	run=$!
	give '1\n'
	eventually out_is 1
	kill -HUP "$run"
	give '2\n'
	eventually out_is $'1\n2'
	finish
	ended
	exits 0
}

@test "an interrupt that the caller ignores is ignored" {
	# As a shell does for what it starts beside itself.
	mkfifo in
	exec 8<>in
	env --ignore-signal=INT "$LEAT" run "$STAGES/octets.c:copy" <in >out 2>err 3>&- 8>&- &
	run=$!
	give '1\n'
	eventually out_is 1
	kill -INT "$run"
	give '2\n'
	eventually out_is $'1\n2'
	finish
	ended
	exits 0
}

slow_stage() {
	cat >slow.py <<-'EOF'
		import os, time
		def slow(n: int) -> int:
		    os.close(os.open(f"started-{n}", os.O_CREAT))
		    time.sleep(0.3)
		    return n
		def stuck(n: int) -> int:
		    os.close(os.open(f"started-{n}", os.O_CREAT))
		    time.sleep(1000)
		    return n
	EOF
}

@test "an interrupt lets what was read come out" {
	slow_stage
	local mode
	for mode in "${MODES[@]}"; do
		rm -f started-*
		begin run -m "$mode" "$STAGES/octets.py:copy" slow.py:slow "$STAGES/numbers.c:increment"
		give '1\n2\n3\n'
		eventually test -e started-1
		kill -INT "$run"
		ended
		exits 130
		says_one 'leat: interrupted.*'
		# All three were read, or at least the one in the works.
		[ "$(head -1 out)" = 2 ] || fail "what was read is lost"
		if [ "$mode" != shell ]; then
			says "leat: interrupted after record $(wc -l <out)"
		fi
		finish
		no_leftovers
	done
}

@test "an interrupt during a flood loses nothing that was read" {
	local mode
	for mode in "${MODES[@]}"; do
		: >out
		mkfifo numbers
		seq 1000000000 >numbers 2>/dev/null 3>&- &
		env --default-signal=INT "$LEAT" run -m "$mode" "$STAGES/octets.c:copy" "$STAGES/octets.py:copy" \
			<numbers >out 2>err 3>&- &
		run=$!
		eventually test -s out
		kill -INT "$run"
		ended
		exits 130
		says_one 'leat: interrupted.*'
		same <(seq "$(wc -l <out)") out
		rm numbers
		no_leftovers
	done
}

@test "a second interrupt ends at once, also what is stuck" {
	slow_stage
	local mode
	for mode in "${MODES[@]}"; do
		rm -f started-*
		begin run -m "$mode" "$STAGES/octets.c:copy" slow.py:stuck "$STAGES/numbers.c:increment"
		give '1\n'
		eventually test -e started-1
		kill -INT "$run"
		sleep 0.2
		is_over && fail "the first one ended it"
		kill -INT "$run"
		ended
		exits 130
		says_one 'leat: interrupted.*'
		prints ''
		finish
		no_leftovers
	done
}

@test "a second interrupt ends a C function that is stuck" {
	cat >stuck.c <<-'EOF'
		#include <fcntl.h>
		#include <leat.h>
		#include <unistd.h>
		int64_t stuck(int64_t n) { for (creat("started", 0600);;) pause(); return n; }
		LEAT_STAGE(stuck)
	EOF
	local mode
	for mode in "${MODES[@]}"; do
		rm -f started
		begin run -m "$mode" stuck.c:stuck
		give '1\n'
		eventually test -e started
		kill -INT "$run"
		sleep 0.2
		is_over && fail "the first one ended it"
		kill -INT "$run"
		ended
		exits 130
		says_one 'leat: interrupted.*'
		finish
		no_leftovers
	done
}

@test "a second interrupt ends a command that ignores signals, and what it started" {
	local mode
	for mode in "${MODES[@]}"; do
		begin run -m "$mode" "trap '' INT TERM; sleep 1000 & touch started; sleep 1000" cat
		eventually test -e started
		kill -INT "$run"
		sleep 0.2
		is_over && fail "the first one ended it"
		kill -INT "$run"
		ended
		exits 130
		says_one 'leat: interrupted.*'
		finish
		rm started
		no_leftovers
	done
}

@test "an interrupt while the stages still start" {
	printf 'import time\nopen("started", "w")\ntime.sleep(1000)\n' >slowly.py
	local mode
	# In shell mode it has begun when its first program has.
	for mode in single threads processes auto; do
		begin run -m "$mode" "$STAGES/octets.c:copy" slowly.py:f cat
		eventually test -e started
		kill -INT "$run"
		ended
		exits 130
		says_one 'leat: interrupted.*'
		finish
		rm started
		no_leftovers
	done
}

# Whether nobody is left a second after leat was killed.
killed() {
	begin run -m "$@"
	give '1\n'
	if answers_at_once "$@"; then
		eventually out_is 2
	else
		sleep 0.3
	fi
	kill -KILL "$run"
	wait "$run" || true
	sleep 1
	if ! nobody_left; then
		ps -o pid,ppid,pgid,stat,args -p "$(marked | paste -sd,)"
		fail "processes outlive leat"
	fi
	finish
}

@test "nobody outlives a leat that is killed" {
	local mode words
	for mode in "${MODES[@]}"; do
		for words in "${CHAINS[1]}" "${CHAINS[2]}" "${CHAINS[3]}"; do
			# shellcheck disable=SC2086 # they are words
			killed "$mode" $words
		done
	done
}

@test "not even a command's own children outlive a leat that is killed" {
	local mode
	for mode in threads shell; do
		begin run -m "$mode" 'sleep 1000 & sleep 1001 | cat' cat
		sleep 0.3
		kill -KILL "$run"
		wait "$run" || true
		sleep 1
		if ! nobody_left; then
			ps -o pid,ppid,pgid,stat,args -p "$(marked | paste -sd,)"
			fail "processes outlive leat"
		fi
		finish
	done
}

cat_runs() {
	local pid
	for pid in $(marked); do
		[ "$(cat "/proc/$pid/comm")" != cat ] || return 0
	done
	return 1
}

@test "a command's children are gone after an interrupt" {
	local mode
	for mode in "${MODES[@]}"; do
		begin run -m "$mode" 'sleep 1000 & touch started; cat; wait' "$STAGES/octets.c:copy"
		eventually test -e started
		# A shell loses a signal that comes while it starts a program.
		eventually cat_runs
		give '1\n'
		kill -INT "$run"
		ended
		exits 130
		says_one 'leat: interrupted.*'
		finish
		rm started
		no_leftovers
	done
}
