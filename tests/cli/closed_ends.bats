#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A reader that leaves, a full disk, and standard descriptors that are closed.

load helper

# reader_gone STAGE...: head takes the first line of many and goes.
reader_gone() {
	local mode
	for mode in "${DISTINCT[@]}"; do
		chain "seq 200000 | { \"$LEAT\" run -m $mode $* || echo \$? >status; } | head -1"
		prints 2 && [ "$(cat status)" = 141 ] || fail "status: $(cat status)" || return
		says_one 'leat: stdout: the reader closed it.*' && no_leftovers || return
	done
}

@test "head -1 that closes stdout early, behind C" {
	reader_gone "$STAGES/numbers.c:increment"
}

@test "head -1 that closes stdout early, behind Python" {
	reader_gone "$STAGES/octets.c:copy" "$STAGES/numbers.py:increment"
}

@test "head -1 that closes stdout early, behind a command" {
	reader_gone "$STAGES/numbers.c:increment" cat
	reader_gone "'sed s/^1$/2/'"
}

@test "a reader that goes away ends an idle run" {
	local mode stages
	for mode in "${DISTINCT[@]}"; do
		for stages in "$STAGES/numbers.c:increment $STAGES/octets.py:copy" "cat $STAGES/numbers.c:increment"; do
			# In single mode the next stage waits for the command's end.
			[ "$mode ${stages%% *}" != "single cat" ] || continue
			mkfifo in reader
			exec 8<>in 9<>reader
			# shellcheck disable=SC2086 # they are words
			"$LEAT" run -m "$mode" $stages <in >reader 2>err 3>&- 8>&- 9>&- &
			run=$!
			: >out
			give '1\n'
			read -r line <&9
			[ "$line" = 2 ]
			exec 9>&-
			ended
			exits 141
			says_one 'leat: stdout: the reader closed it.*'
			finish
			rm in reader
			no_leftovers
		done
	done
}

@test "a full disk" {
	local mode language
	for mode in "${DISTINCT[@]}"; do
		for language in c py; do
			status=0
			seq 5 | "$LEAT" run -m "$mode" "$STAGES/numbers.$language:increment" >/dev/full 2>err || status=$?
			: >out
			exits 3
			says_one 'leat: stdout: No space left on device.*'
		done
		leat run -m "$mode" -o /dev/full "$STAGES/numbers.c:increment" < <(seq 5)
		exits 3
		says_one 'leat: /dev/full: No space left on device.*'
	done
	no_leftovers
}

@test "a full disk behind a command" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" -o /dev/full "$STAGES/numbers.c:increment" cat < <(seq 5)
		exits 3
		says_last "leat: stage 'cat': command 'cat' exited with status 1"
	done
	no_leftovers
}

@test "a stdout that is closed" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		status=0
		seq 5 | "$LEAT" run -m "$mode" "$STAGES/numbers.c:increment" >&- 2>err || status=$?
		: >out
		exits 3
		says_one 'leat: stdout: Bad file descriptor.*'
	done
	no_leftovers
}

@test "a stdin that is closed" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/numbers.py:increment" <&-
		exits 3
		prints ''
		says_one 'leat: stdin: .*Bad file descriptor'
	done
	no_leftovers
}

@test "a stderr that is closed changes nothing" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		status=0
		seq 5 | "$LEAT" run -m "$mode" --time-log "$STAGES/numbers.py:increment" "$STAGES/failing.py:fail" cat >out 2>&- || status=$?
		: >err
		exits 3
		prints 2
	done
	no_leftovers
}
