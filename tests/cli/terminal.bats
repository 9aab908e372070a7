#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What keys mean at a terminal: Ctrl-C, Ctrl-D and Ctrl-Z reach leat and its commands.

load helper

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
