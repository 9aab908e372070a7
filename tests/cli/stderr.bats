#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What stages write to stderr: whole lines, none lost, before leat's own last word; and what
# a worker that dies has said is part of the message.

load helper

TALKERS=640
LINES=125

# whole FILE: it has every line that the talkers wrote, each as it was written.
whole() {
	awk -v n="$TALKERS" -v lines="$LINES" '
		$3 != length($4) || NF > 4 { print "torn: " substr($0, 1, 100); bad = 1 }
		seen[$1 " " $2]++ { print "twice: " substr($0, 1, 100); bad = 1 }
		END { if (NR != n * lines) { print NR " lines"; bad = 1 }; exit bad }' "$1"
}

# dies MODE STAGE: of the records 1 to 5 the third kills its worker.
dies() {
	local mode=$1
	shift
	leat run -m "$mode" "$@" < <(seq 5)
	exits 3
	prints $'1\n2'
	no_leftovers
}

@test "lines of many workers are never torn, in a file and in a pipe" {
	local mode
	cp "$STAGES"/talking.* .
	for mode in threads processes shell; do
		leat run -m "$mode" -j8 talking.py:talk < <(seq "$TALKERS")
		exits 0
		cmp out <(seq "$TALKERS")
		whole err
		chain "'$LEAT' run -m $mode -j8 talking.py:talk <<<\"\$(seq $TALKERS)\" 2>&1 >/dev/null | cat"
		whole out
	done
	leat run -m processes -j8 talking.c:talk < <(seq "$TALKERS")
	exits 0
	whole err
	leat run -m single talking.py:talk < <(seq "$TALKERS")
	exits 0
	whole err
}

@test "several stages and programs write at once" {
	cp "$STAGES"/talking.* .
	local mode
	for mode in processes shell; do
		chain "'$LEAT' run -m $mode -w a=4 a=talking.py:talk b=talking.py:talk 2>&1 >/dev/null <<<\"\$(seq $TALKERS)\" | cat"
		sort out | uniq -d >twice
		[ "$(wc -l <twice)" = $((TALKERS * LINES)) ]
		whole twice
	done
}

@test "what is printed and what is written stay in order" {
	cp "$STAGES"/talking.* .
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" talking.py:in_turns < <(seq 2)
		exits 0
		prints $'1\n2'
		says 'printed 1' 'written 1' 'raw 1' 'printed 2' 'written 2' 'raw 2'
	done
}

@test "a line is there at once, and the last one even without its newline" {
	cp "$STAGES"/talking.* .
	begin run -m processes talking.py:in_turns
	give '7\n'
	eventually grep -q 'raw 7' err
	finish
	ended
	leat run -m processes talking.py:unended < <(echo 1)
	exits 0
	says 'no newline 1'
}

@test "--tag names the stage, and the worker where there are several" {
	cp "$STAGES"/talking.* .
	local mode
	for mode in processes auto shell; do
		leat run -m "$mode" --tag talking.py:in_turns < <(echo 1)
		says '[in_turns] printed 1' '[in_turns] written 1' '[in_turns] raw 1'
	done
	for mode in single threads; do
		leat run -m "$mode" --tag a=talking.py:in_turns b=talking.py:unended < <(echo 1)
		says '[a+b] printed 1' '[a+b] written 1' '[a+b] raw 1' '[a+b] no newline 1'
	done
	leat run -m processes --tag -w in_turns=2 talking.py:in_turns < <(seq 50)
	[ "$(grep -cxE '\[in_turns\.[12]\] (printed|written|raw) [0-9]+' err)" = 150 ]
	leat run -m shell -n --tag talking.py:in_turns
	grep -q 'stage --tag talking' out
}

@test "--tag and commands" {
	leat run --tag x='echo one >&2; cat; printf two >&2' 'y=echo three >&2; cat' < <(echo 1)
	exits 0
	prints 1
	[ "$(sort err)" = $'[x] one\n[x] two\n[y] three' ]
	# As in a shell's pipe.
	leat run x='echo one >&2; cat' < <(echo 1)
	says one
	# What has failed is said after all that was written.
	leat run --tag x='(sleep 0.2; echo late >&2) & echo one >&2; cat; wait; exit 4' < <(echo 1)
	exits 3
	says '[x] one' '[x] late' \
		"leat: stage 'x': command '(sleep 0.2; echo late >&2) & echo one >&2; cat; wait; exit 4' exited with status 4"
}

@test "a process that dies before it is ready" {
	printf 'import os, sys\nprint("loading")\nsys.stderr.write("no luck today")\nsys.stderr.flush()\nos._exit(1)\n' >unlucky.py
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" unlucky.py:f < <(seq 5)
		exits 2
		prints ''
		says loading 'no luck today' \
			"leat: stage 'f': exited with status 1 before it was ready; its last lines on stderr: loading | no luck today"
		no_leftovers
	done
}

@test "a process that dies over and over" {
	cat >often.py <<'PYTHON'
import os, sys
if os.path.exists("was_ready"):
    print("cannot open the camera", file=sys.stderr)
    os._exit(5)
os.mkdir("was_ready")
def f(n: int) -> int:
    os._exit(6)
PYTHON
	leat run -m processes often.py:f < <(seq 5)
	exits 3
	prints ''
	says 'cannot open the camera' 'cannot open the camera' 'cannot open the camera' \
		"leat: stage 'f': exited with status 5, 3 times in a row before it did anything; its last lines on stderr: cannot open the camera"
	no_leftovers
}

@test "a record that kills its worker" {
	cp "$STAGES"/talking.* .
	local mode
	for mode in "${DISTINCT[@]}"; do
		dies "$mode" talking.py:abort
		says 'three, says print' $'three, says "stderr"\t' 'three, says print' $'three, says "stderr"\t' \
			'three, says print' $'three, says "stderr"\t' \
			"leat: stage 'abort': was killed by SIGABRT, 3 times, record 3: \"3\"; its last lines on stderr: three, says print | three, says \"stderr\""
	done
	dies processes talking.c:give_up
	says printed written printed written printed written \
		"leat: stage 'give_up': was killed by SIGABRT, 3 times, record 3: \"3\"; its last lines on stderr: printed | written"
}

@test "the last words are the end of a traceback" {
	cp "$STAGES"/talking.* .
	leat run -m processes talking.py:raise_in_vain < <(seq 5)
	exits 3
	prints ''
	tail -1 err | grep -qxE "leat: stage 'raise_in_vain': exited with status 7, 3 times, record 1: \"1\"; its last lines on stderr: File \".* \| raise ValueError\(\"as a test\"\) \| ValueError: as a test"
}

@test "long and odd last words fit into one line" {
	cat >wordy.py <<'PYTHON'
import os, sys
for c in "\u20ac", "\x1b", "x":
    print(c * 1000, file=sys.stderr)
os._exit(1)
PYTHON
	leat run -m processes wordy.py:f < <(seq 5)
	exits 2
	tail -1 err | grep -qE "its last lines on stderr: €{64}\.\.\. \| (\\\\x1b){48}\.\.\. \| x{192}\.\.\.$"
}

@test "stderr that is closed, full, or whose reader left" {
	cp "$STAGES"/talking.* .
	local mode stage
	for mode in "${DISTINCT[@]}"; do
		for stage in talking.py:talk talking.c:talk; do
			chain "'$LEAT' run -m $mode --tag $stage 2>&- <<<\"\$(seq 64)\""
			exits 0
			cmp out <(seq 64)
			chain "'$LEAT' run -m $mode $stage 2>/dev/full <<<\"\$(seq 64)\""
			exits 0
			cmp out <(seq 64)
			chain "set -o pipefail; { '$LEAT' run -m $mode $stage 2>&1 >&3 <<<\"\$(seq 64)\" | true; } 3>&1"
			cmp out <(seq 64)
		done
		no_leftovers
	done
}

# Whether the pipe of that descriptor takes hardly any more.
words_are_full() {
	python3 -c 'import fcntl, struct, sys, termios
held, = struct.unpack("i", fcntl.ioctl(9, termios.FIONREAD, bytes(4)))
sys.exit(held < 32000)'
}

@test "stderr that nobody reads: an interrupt still ends the run" {
	cp "$STAGES"/talking.* .
	mkfifo words
	exec 9<>words
	seq "$TALKERS" >numbers
	env --default-signal=INT,QUIT "$LEAT" run -m processes -j2 talking.py:talk <numbers >out 2>words 3>&- 8>&- 9>&- &
	run=$!
	eventually words_are_full
	kill -INT "$run"
	# Two at once might count as one.
	sleep 0.1
	kill -INT "$run"
	# leat's own last line has to go somewhere too.
	cat <&9 >err &
	local reader=$!
	ended
	exits 130
	exec 9>&-
	kill "$reader"
	no_leftovers
}

@test "a slow reader of stderr loses nothing" {
	cp "$STAGES"/talking.* .
	chain "'$LEAT' run -m processes -j2 talking.py:talk 2>&1 >/dev/null <<<\"\$(seq $TALKERS)\" | (sleep 1; cat)"
	whole out
}

@test "a child that keeps its dead parent's stderr" {
	cp "$STAGES"/talking.* .
	leat run -m processes --tag talking.py:mourned < <(seq 5)
	exits 0
	prints $'1\n2\n3\n4\n5'
	silent
	kill -9 "$(cat child)"
	no_leftovers
}

@test "a process that does not leave at the end" {
	cp "$STAGES"/talking.* .
	leat run -m processes talking.py:stays "$STAGES/octets.c:copy" < <(seq 5)
	exits 0
	prints $'1\n2\n3\n4\n5'
	says "leat: stage 'stays': its process did not leave within 10 s and was ended"
	no_leftovers
}

@test "deaths by SIGKILL do not make a crash the last straw" {
	cp "$STAGES"/talking.* .
	leat run -m processes talking.py:dies_for_many_reasons < <(seq 5)
	exits 0
	prints $'1\n2\n3\n4\n5'
	says_one "leat: stage 'dies_for_many_reasons': was killed by SIGABRT, 6 times; its process was replaced"
}

@test "a record is not blamed for what another in its process did" {
	cp "$STAGES"/talking.* .
	leat run -m threads -j2 --time-log talking.py:in_company < <(seq 2)
	exits 3
	prints 1
	grep -v '^Time cost' err | grep -qxF "leat: stage 'in_company': the process it shares was killed by SIGABRT, 3 times, record 2: \"2\""
	no_leftovers
}
