#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Commands that take records: line:, batch: and each:, in order, and nothing in a record is run.

load helper

# each_way STAGE: of the file records it makes the file expected in every mode, with several workers.
each_way() {
	local options
	for options in '-m single' '-m threads' '-m processes' '-m shell' '-j 1' '-j 4' '-j auto'; do
		# shellcheck disable=SC2086 # words
		leat run $options "$1" <records
		exits 0 && silent && same expected out || return
	done
}

@test "line: answers 100,000 records, whatever the program buffers" {
	seq 100000 >records
	seq 2 2 200000 >expected
	printf 'import sys\nfor line in sys.stdin:\n    print(2 * int(line))\n' >double.py
	local command options
	for command in "awk '{print \$1*2; fflush()}'" "awk '{print \$1*2}'" 'python3 double.py'; do
		for options in '' '-j 1' '-j 4'; do
			# From a pipe and from a file it is started otherwise.
			# shellcheck disable=SC2086 # words
			leat run $options "line:$command" < <(cat records)
			exits 0
			silent
			same expected out
			# shellcheck disable=SC2086 # words
			leat run $options "line:$command" <records
			exits 0
			silent
			same expected out
		done
	done
	no_leftovers
}

@test "line: a slow program that says its answer in pieces is not misheard" {
	printf 'import sys, time\nfor line in sys.stdin:\n    time.sleep(0.005)\n    print("a", line, sep="", end="")\n' >slow.py
	seq 100 >records
	sed s/^/a/ records >expected
	for _ in {1..5}; do
		leat run -j 8 'line:python3 slow.py' <records
		exits 0
		silent
		same expected out
	done
	no_leftovers
}

@test "line: sed answers in every mode" {
	seq 20000 >records
	sed s/1/b/ records >expected
	each_way 'line:sed -u s/1/b/'
	no_leftovers
}

@test "a line: command answers a line before the next one comes" {
	begin run 'line:sed s/^/x/'
	give '1\n'
	eventually out_is x1
	give '2\n3\n'
	eventually out_is $'x1\nx2\nx3'
	finish
	ended
	exits 0
	silent
	no_leftovers
}

@test "line: takes what comes while it watches the first answer" {
	cat >feed.py <<-'END'
		import os, time
		for i in range(40):
		    os.write(1, b"%d\n" % i)
		    time.sleep(0.0005)
	END
	seq 0 39 >expected
	local i
	for i in $(seq 30); do
		leat run -j 4 line:cat < <(python3 feed.py)
		exits 0
		silent
		same expected out
	done
}

@test "a line: command that answers too much or too little is named" {
	seq 10 >records
	leat run 'line:sed -u p' <records
	exits 3
	says_one "leat: stage 'sed': has given more answers than the 1 it was asked for; line: wants one for each record, batch: and stream: take any number, record 1: \"1\""
	leat run 'line:sed -u 5d' <records
	exits 3
	says_one "leat: stage 'sed': exited with status 0 after 9 answers to 10 records, record 10: \"10\""
	leat run 'line:sed -u 5q7' <records
	exits 3
	says_one "leat: stage 'sed': exited with status 7 after (5 answers.*, record 6: \"6\"|its last answer)"
	head -5 records >expected
	same expected out
	no_leftovers
}

@test "a line: command that is killed again and again answers all the same" {
	seq 50 >records
	leat run "line:sh -c 'read a; echo \$a; kill -9 \$\$'" <records
	exits 0
	same records out
	leat run "line:sh -c 'read a; kill -SEGV \$\$'" <records
	exits 3
	says_one "leat: stage 'sh': was killed by SIGSEGV, 3 times, record 1: \"1\""
	# In the middle of a batch, of which another process is told the rest.
	seq 3000 >records
	# shellcheck disable=SC2016 # for the script
	echo 'while read a; do echo $a; if [ $a = 700 ] && [ ! -e died ]; then mkdir died; kill -9 $$; fi; done' >once
	local options
	for options in '' '-j 2'; do
		rm -rf died
		# shellcheck disable=SC2086 # words
		leat run $options 'line:sh once' <records
		exits 0
		silent
		same records out
		[ -d died ]
	done
	no_leftovers
}

@test "line: passes on a record of 60 MiB in the time that it takes to read it" {
	{ echo a && head -c 60M /dev/zero | tr '\0' x && echo && echo b; } >records
	leat run line:cat line:cat line:cat <records
	exits 0
	silent
	same records out
}

@test "--memory bounds an answer that never ends" {
	leat run --memory 16M 'line:head -c 1G /dev/zero' < <(echo 1)
	exits 3
	says_one "leat: stage 'head': answers with a record longer than the 4194303 bytes that fit into memory; raise --memory, record 1: \"1\""
	local kind
	for kind in each batch; do
		leat run --memory 16M "$kind:head -c 1G /dev/zero" < <(echo 1)
		exits 3
		says_one "leat: stage 'head': gives more than a batch can hold, which is 4194304 bytes; raise --memory, record 1(: \"1\")?"
	done
	no_leftovers
}

@test "a line: command that dies in the middle of a batch goes on behind its last answer" {
	seq 100000 >records
	sed s/^/a/ records >expected
	cat >die.py <<'END'
import os, signal, sys
last, died = int(sys.argv[1]), sys.argv[2]
for n, line in enumerate(sys.stdin, 1):
    sys.stdout.write("a" + line)
    sys.stdout.flush()
    if n == last and not os.path.exists(died):
        open(died, "w").close()
        os.kill(os.getpid(), signal.SIGUSR1)
END
	local last options
	for last in 2 5 20001; do
		for options in '' '-j 2'; do
			rm -f died
			# shellcheck disable=SC2086 # words
			leat run $options "line:python3 die.py $last died" <records
			exits 0
			silent
			same expected out
			[ -e died ]
		done
	done
	no_leftovers
}

@test "a line: command that keeps more in its buffer than may be in flight is started without one" {
	# Of a file it has its usual buffer at first; one of answers is as much as 20 MB of records.
	python3 -c 'for i in range(3000): print(i % 10, 10000 * "x")' >records
	cut -c1 records >expected
	local options
	for options in '' '-j 2'; do
		# shellcheck disable=SC2086 # words
		leat run $options 'line:cut -c1' <records
		exits 0
		silent
		same expected out
	done
	no_leftovers
}

@test "Python keeps its buffer of a file, and has none where somebody may wait" {
	cat >says.py <<'END'
import os, sys
for line in sys.stdin:
    print(os.environ.get("PYTHONUNBUFFERED"))
END
	echo a >records
	unset PYTHONUNBUFFERED
	leat run 'line:python3 says.py' <records
	exits 0
	prints None
	leat run 'line:python3 says.py' < <(cat records)
	exits 0
	prints 1
	# Empty, Python takes it for unset.
	PYTHONUNBUFFERED='' leat run 'line:python3 says.py' < <(cat records)
	exits 0
	prints 1
}

@test "what a command waits for memory is not its time" {
	seq 12 >records
	cat >grow.sh <<'END'
[ $# -eq 0 ] || { printf '%s%0200000d\n' "$1" 0; exit; }
while read -r record; do printf '%s%0200000d\n' "$record" 0; done
END
	sh grow.sh <records >expected
	local stage
	for stage in 'line:sh grow.sh' 'each:sh grow.sh {}'; do
		chain "\"$LEAT\" run --memory 1M --stall 1 --timeout 1 ${stage@Q} <records | { sleep 3; cat; }; exit \${PIPESTATUS[0]}"
		exits 0
		silent
		same expected out
	done
	no_leftovers
}

@test "batch: gives each process as much as is told, the same in every mode" {
	seq 100000 >records
	{ seq 4 | sed 's/.*/30000/' | head -3; echo 10000; } >expected
	local options
	for options in '-m single' '-m threads' '-m shell' '-j 3' '-j auto'; do
		# shellcheck disable=SC2086 # words
		leat run $options --batch 30000l 'batch:wc -l' <records
		exits 0
		silent
		same expected out
		# shellcheck disable=SC2086 # words
		leat run $options 'line:sed -u s/x/y/' --batch 30000l 'batch:wc -l' <records
		exits 0
		silent
		same expected out
	done
	leat run --batch 64K 'batch:wc -c' <records
	exits 0
	[ "$(paste -sd+ out | bc)" = "$(wc -c <records)" ]
	[ "$(sort -n out | tail -1)" -le 65536 ]
	leat run 'batch:cat' < <(printf 'a\nb')
	exits 0
	prints $'a\nb'
	leat run --batch 1000l "batch:printf x" <records
	exits 0
	[ "$(wc -c <out)" = 100 ]
	leat run -j 2 'batch:gzip -c' <records
	exits 0
	gzip -dc out | same records /dev/stdin
	leat run 'batch:head -1' <records
	exits 0
	prints 1
	leat run 'batch:cat >/dev/null; exit 4' < <(seq 5)
	exits 3
	says_one "leat: stage 'cat': exited with status 4, one of records 1 to 5"
	no_leftovers
}

# What a shell would make something of.
evil() {
	printf '%s\n' "\$(touch x)" '`touch x`' '"; touch x; "' "'; touch x; '" "it's" 'a\nb\\' \
		'  sp  ace ' '-n' '--help' '*' '{}' "\$1" '&' '|' '>' '#' '~' '!' ''
}

@test "each: gives records unharmed, and never runs them" {
	evil >records
	cp records expected
	local command
	for command in "printf '%s\n' {}" "printf '%s\n' \"\$1\"" "printf '%s\n' {} | cat" \
		"printf '%s\n' \"{}\" | cat" "printf '%s\n' '{}' | cat" \
		"printf '%s\n' x{} | sed 's/^x//'" "printf '%s\n' \"\$1\"; true"; do
		leat run -j 2 "each:$command" <records
		exits 0
		silent
		same expected out
	done
	evil | tr '\n' '\0' >records
	printf 'two\nlines\0' >>records
	cp records expected
	leat run --frame nul "each:printf '%s\\0' {}" <records
	exits 0
	silent
	same expected out
	[ ! -e x ]
	no_leftovers
}

@test "each: in every mode, any number of lines for a record" {
	seq 200 >records
	awk '{for (i = 0; i < $1 % 3; i++) print $1}' records >expected
	each_way "each:for i in \$(seq \$((\$1 % 3))); do echo \$1; done"
	no_leftovers
}

@test "each: says what no argument can be" {
	{
		echo a
		head -c 200000 /dev/zero | tr '\0' x
		echo
	} >records
	leat run 'each:echo {}' <records
	exits 3
	prints a
	says_one "leat: stage 'echo': cannot take a record longer than an argument can be, 131071 bytes; batch: and line: take records on stdin, record 2: \"x+\"\\.\\.\\. 200000 bytes"
	printf 'a\0b\n' >records
	leat run 'each:echo {}' <records
	exits 3
	says_one "leat: stage 'echo': cannot take a record with a NUL byte, which no argument can hold; batch: and line: take records on stdin, record 1: \"a\\\\x00b\""
	# The words around a record, or several of it, can be what is too much.
	head -c 131071 /dev/zero | tr '\0' x >records
	leat run 'each:echo x{}' <records
	exits 3
	says_one "leat: stage 'echo': its arguments with the record are longer than they can be; batch: and line: take records on stdin, record 1: \"x+\"\\.\\.\\. 131071 bytes"
	leat run 'each:test {} -lt 3' < <(seq 5)
	exits 3
	says_one "leat: stage 'test': exited with status 1, record 3: \"3\""
	leat run 'each:head -c 1G /dev/zero' < <(echo 1)
	exits 3
	says_one "leat: stage 'head': gives more than a batch can hold, .*; raise --memory, record 1: \"1\""
	no_leftovers
}

@test "a command knows its stage, its worker and its record" {
	leat run -w x=2 "x=each:echo \$LEAT_STAGE \$LEAT_RECORD \$((LEAT_WORKER < 2))" < <(seq 3)
	exits 0
	prints $'x 1 1\nx 2 1\nx 3 1'
	leat run --batch 2l "batch:cat >/dev/null; echo \$LEAT_RECORD" < <(seq 3)
	exits 0
	prints $'1-2\n3'
}

@test "a command that gives nothing is named, and ended where that is wished" {
	local kind
	for kind in each line batch; do
		leat run --stall 1 --timeout 2 "$kind:sleep 100" < <(echo 1)
		exits 3
		[ "$(wc -l <err)" = 2 ] || fail 'two lines'
		head -1 err | grep -qE "^leat: stage 'sleep': process [0-9]+ has (given|answered) nothing for 1 s"
		tail -1 err | grep -qE '2 s.* was ended, record 1(: "1")?$'
	done
	no_leftovers
}

@test "--tag names the record on stderr" {
	leat run --tag -j 2 "each:echo \$1; echo one >&2; printf two >&2" < <(seq 20)
	exits 0
	seq 20 >expected
	same expected out
	for i in $(seq 20); do
		printf "[echo record $i] %s\n" one two
	done | sort >expected
	sort err | same expected /dev/stdin
}

@test "Ctrl-C finishes what a command has been given" {
	begin run 'each:sleep 0.5; echo {}'
	give '1\n'
	sleep 0.2
	kill -INT "$run"
	ended
	exits 130
	prints 1
	no_leftovers
	finish
}

@test "kill -9 of leat leaves no command behind" {
	begin run 'each:sleep 100 | cat'
	give '1\n'
	busy() { [ "$(marked | wc -l)" -ge 4 ]; }
	eventually busy
	kill -9 "$run"
	wait "$run" || true
	no_leftovers
	finish
}
