#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What it costs to start, and to wait.

load helper

# ticks MARK: cpu time of all processes with that mark, in clock ticks.
ticks() {
	local pid sum=0 fields
	for pid in $(marked "$1"); do
		read -r fields <"/proc/$pid/stat" || continue
		# The program's name may hold blanks.
		# shellcheck disable=SC2086 # they are words
		set -- ${fields##*) }
		sum=$((sum + ${12} + ${13}))
	done
	echo "$sum"
}

# starts NUMBER STAGE...: an idle pipeline that has answered one record, if it can.
starts() {
	local mark=$BATS_TEST_TMPDIR/$1
	marks+=("$mark")
	shift
	LEAT_TEST_MARK=$mark "$LEAT" "$@" <in >"$mark" 2>&1 3>&- 8>&- &
	names+=("$*")
}

@test "an idle pipeline uses no cpu, in any mode" {
	local marks=() names=() before=() mode i used
	mkfifo in
	exec 8<>in
	for mode in "${MODES[@]}"; do
		starts "c-$mode" run -m "$mode" "$STAGES/numbers.c:increment" "$STAGES/numbers.c:twice"
		starts "py-$mode" run -m "$mode" "$STAGES/numbers.py:increment" "$STAGES/numbers.py:twice"
		starts "mixed-$mode" run -m "$mode" "$STAGES/numbers.c:increment" cat "$STAGES/numbers.py:twice"
	done
	starts stage stage "$STAGES/numbers.py:increment"
	# The start is over when nobody has used any for a while.
	local now last=-1
	until now=$(for i in "${!marks[@]}"; do ticks "${marks[i]}"; done | paste -sd+ | bc) && [ "$now" = "$last" ]; do
		last=$now
		sleep 0.5
	done
	for i in "${!marks[@]}"; do
		before[i]=$(ticks "${marks[i]}")
	done
	sleep 5
	for i in "${!marks[@]}"; do
		[ -n "$(marked "${marks[i]}")" ] || fail "it has ended: ${names[i]}: $(cat "${marks[i]}")"
		used=$(($(ticks "${marks[i]}") - before[i]))
		echo "$used ticks: ${names[i]}"
		# A sanitizer has threads of its own.
		[ "$used" -lt "$(is_sanitized && echo 5 || echo 2)" ]
	done
	finish
	for i in "${!marks[@]}"; do
		kill -9 $(marked "${marks[i]}") 2>/dev/null || true
	done
}

@test "two C stages give their first output soon after the start" {
	local mode median
	for mode in single threads processes; do
		median=$(python3 "$BATS_TEST_DIRNAME/first_output.py" "$LEAT" run -m "$mode" \
			"$STAGES/numbers.c:increment" "$STAGES/numbers.c:twice")
		echo "# $mode: $median ms from exec to the first output (median of 31)" >&3
		# 10 ms are the goal; a busy machine or a sanitizer may take long.
		[ "${median%.*}" -lt 1000 ]
	done
	no_leftovers
}
