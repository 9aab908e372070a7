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

# terminal STEP... -- COMMAND...: see terminal.py.
terminal() {
	status=0
	echo "terminal $*"
	PATIENCE=$PATIENCE timeout -k 5 "$LIMIT" python3 "$BATS_TEST_DIRNAME/terminal.py" "$@" >out 2>err 3>&- || status=$?
}

@test "Ctrl-C at a terminal drains, in every mode" {
	local mode language
	for mode in "${DISTINCT[@]}"; do
		for language in c py; do
			terminal ' 1\n' '2 ^C' -- "$LEAT" run -m "$mode" "$STAGES/numbers.$language:increment" "$STAGES/octets.c:copy"
			exits 130
			silent
			[ "$(grep -c '^leat: interrupted' out)" -ge 1 ] || fail "it says so"
			no_leftovers
		done
	done
}

@test "Ctrl-C at a terminal ends commands too" {
	local mode
	for mode in threads processes shell auto; do
		terminal ' 1\n' '2 ^C' -- "$LEAT" run -m "$mode" "$STAGES/numbers.c:increment" cat
		exits 130
		terminal ' 1\n' '2 ^C' -- "$LEAT" run -m "$mode" cat "$STAGES/numbers.c:increment"
		exits 130
		no_leftovers
	done
}

@test "Ctrl-D at a terminal ends the input" {
	local mode
	for mode in "${MODES[@]}"; do
		terminal ' 1\n' '2 ^D' -- "$LEAT" run -m "$mode" "$STAGES/numbers.c:increment"
		exits 0
	done
}

@test "a command that reads a terminal gets what is typed" {
	local mode
	for mode in "${MODES[@]}"; do
		terminal ' one\n' 'one ^D' -- "$LEAT" run -m "$mode" cat
		exits 0
		[ "$(grep -c one out)" = 2 ] || fail "typed and printed"
		no_leftovers
	done
}

@test "a command may ask at the terminal" {
	local mode
	for mode in "${MODES[@]}"; do
		terminal 'sure? yes\n' -- sh -c "echo x | \"$LEAT\" run -m $mode 'cat; printf sure? >/dev/tty; read a </dev/tty; echo \$a\$a' cat"
		exits 0
		grep -q yesyes out || fail "the answer"
	done
}

@test "Ctrl-C ends all programs of a shell's pipe" {
	terminal ' 1\n' '4 ^C' -- bash -c "\"$LEAT\" stage $STAGES/numbers.c:increment | \"$LEAT\" stage $STAGES/numbers.py:twice"
	exits 130
	! grep -q leat: out || fail "a filter says nothing"
	no_leftovers
}

# The guard is no part of the run, and only waits for its end.
stopped() {
	local pid
	for pid in $(marked); do
		! grep -qz '^guard$' "/proc/$pid/cmdline" || continue
		[ "$(awk '{ print $3 }' "/proc/$pid/stat")" = T ] || return
	done
}

@test "a stopped run goes on where it was" {
	local mode
	for mode in "${MODES[@]}"; do
		begin run -m "$mode" "$STAGES/octets.c:copy" "$STAGES/numbers.py:increment"
		give '1\n'
		eventually out_is 2
		kill -TSTP "$run"
		eventually stopped
		give '2\n'
		kill -CONT "$run"
		eventually out_is $'2\n3'
		finish
		ended
		exits 0
		silent
		no_leftovers
	done
}

# begin_one ARGUMENT...: a run of one record, whose command has begun: it touches `started`.
begin_one() {
	rm -f started
	begin run "$@"
	give '1\n'
	finish
	eventually test -e started
}

@test "commands that take records stop with the run, and the time counts for none" {
	cat >slow.sh <<'END'
[ $# -gt 0 ] || read -r record
touch started
sleep 0.5
echo "${1-$record}"
END
	local stage
	for stage in 'each:sh slow.sh {}' 'line:sh slow.sh' 'batch:sh slow.sh'; do
		begin_one --timeout 2 "$stage"
		kill -TSTP "$run"
		eventually stopped
		sleep 2.2
		kill -CONT "$run"
		ended
		exits 0
		silent
		prints 1
		no_leftovers
	done
}

@test "a command that ended while nobody could see it ended in time" {
	begin_one --timeout 1 'each:touch started; sleep 0.5; echo {}'
	kill -STOP "$run"
	sleep 1.5
	kill -CONT "$run"
	ended
	exits 0
	silent
	prints 1
	no_leftovers
}

@test "a command that waits for the terminal in the background is named" {
	local kind
	for kind in each line batch; do
		terminal ' ' -- bash -c "\"$LEAT\" run --stall 1 --timeout 2 '$kind:head -n1 /dev/tty' < <(echo 1)"
		exits 3
		grep -qE "^leat: stage 'head': process [0-9]+ has .* for 1 s.* it is stopped, as is whatever reads the terminal in the background; --timeout would end it$" out || fail 'not named'
	done
	no_leftovers
}
