#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The same stages and input under every mode, side by side.

load helper

@test "the table has a row a mode, and the outputs are the same" {
	leat compare "$STAGES/numbers.py:increment" "$STAGES/numbers.c:twice" < <(seq 20)
	exits 0
	silent
	local mode
	for mode in "${MODES[@]}"; do
		grep -qE "^ *$mode\b" out || fail "no row of $mode"
	done
	no_leftovers
}

@test "the modes named are those that run" {
	leat compare --modes processes,threads "$STAGES/numbers.c:increment" < <(seq 3)
	exits 0
	! grep -qE '^ *(single|shell|auto)\b' out || fail "another mode ran"
	grep -qE '^ *threads\b' out
	no_leftovers
}

# In each run the command in the middle has read the 14 bytes of seven numbers, and what
# it takes to load it; it wrote them. What functions read is not known.
knows_bytes() {
	python3 - <<-'END'
		import json
		for mode in json.load(open("report"))["modes"]:
		    for run in mode["runs"]:
		        increment, my, twice = run["stages"]
		        assert my["read_bytes"] >= my["written_bytes"] == 14, my
		        assert increment["read_bytes"] is twice["written_bytes"] is None, run
	END
	grep -qE '^my read [0-9]+ bytes, wrote 14$' out
}

@test "the JSON names the modes, the stages and the calls" {
	leat compare --rounds 3 --json report "$STAGES/numbers.py:increment" my=cat "$STAGES/numbers.c:twice" < <(seq 7)
	exits 0
	python3 -m json.tool report >/dev/null
	knows_bytes
	local word
	for word in "${MODES[@]}" increment my twice; do
		grep -qF "\"$word\"" report || fail "no $word"
	done
	leat compare --json - "$STAGES/numbers.c:twice" < <(seq 7)
	exits 0
	python3 -m json.tool out >/dev/null
	grep -qE '^ *threads\b' err
	no_leftovers
}

@test "the input may be a file, a pipe or the rest of a file" {
	seq 5 >numbers
	leat compare -i numbers 'tee -a seen' </dev/null
	exits 0
	same <(for mode in "${MODES[@]}"; do seq 5; done) seen
	rm seen
	leat compare 'tee -a seen' < <(seq 5)
	exits 0
	same <(for mode in "${MODES[@]}"; do seq 5; done) seen
	rm seen
	{ read -r _ && leat compare 'tee -a seen'; } < <(seq 5)
	exits 0
	same <(for mode in "${MODES[@]}"; do seq 2 5; done) seen
}

@test "modes whose outputs differ are named" {
	# It counts its runs.
	leat compare --modes single,threads,shell 'cat; echo >>runs; test "$(wc -l <runs)" != 2 || echo more' < <(seq 3)
	exits 3
	grep -q 'threads' out
	grep -qiE 'differ|not the same|another' out || fail "it says so"
	no_leftovers
}

@test "a stage that fails is told" {
	cp "$STAGES/failing.py" .
	leat compare --modes single,processes failing.py:fail < <(seq 5)
	exits 3
	[ "$(grep -c "^leat: stage 'fail': failing.py:9: ValueError: three is too many, record 3" err)" -ge 1 ] || fail "the stage"
	grep -q '^leat compare: mode single failed with exit status 3' err
	no_leftovers
}

@test "a stage that cannot start ends it" {
	leat compare nowhere.py:f < <(seq 5)
	exits 2
	prints ''
	grep -qx "leat: stage 'f': nowhere.py: No such file or directory" err || fail "the stage"
	leat compare -i nowhere cat
	exits 2
	says_one 'leat compare: .*nowhere: No such file or directory'
	leat compare --modes fast cat </dev/null
	exits 2
	says_one "leat compare: .*'fast'.*; try 'leat compare --help'"
	leat compare
	exits 2
	says_one "leat compare: no stage is named; try 'leat compare --help'"
	no_leftovers
}

@test "an interrupt ends it and leaves nothing" {
	begin compare 'sleep 1000'
	finish
	sleep 0.5
	kill -INT "$run"
	sleep 0.3
	kill -INT "$run" 2>/dev/null || true
	ended
	exits 130
	no_leftovers
}

@test "an interrupt while it reads its input ends it" {
	begin compare cat
	give '1\n'
	sleep 0.3
	kill -INT "$run"
	ended
	exits 130
	prints ''
	finish
	no_leftovers
}

@test "nothing outlives a compare that is killed" {
	begin compare "$STAGES/octets.py:copy" 'sleep 1000'
	finish
	sleep 0.7
	kill -KILL "$run"
	wait "$run" || true
	sleep 1
	nobody_left || fail "processes outlive it: $(ps -o pid,args -p "$(marked | paste -sd,)")"
}
