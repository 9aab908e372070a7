#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# line: commands: a lasting process that answers a record with a record, whatever it does.

load helper

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

@test "a line: command that answers twice after a while is named at its first record" {
	# About as long as it takes until it is first looked at.
	printf 'import sys, time\nfor line in sys.stdin:\n    time.sleep(0.0008)\n    sys.stdout.write(2 * line)\n    sys.stdout.flush()\n' >twice.py
	seq 100 >records
	for _ in {1..20}; do
		leat run 'line:python3 twice.py' <records
		exits 3
		says_one ".* has given more answers than the 1 it was asked for; .*, record 1: \"1\""
	done
	no_leftovers
}

@test "the time when a line: command was asked nothing is not its own" {
	leat run --stall 1 --timeout 1 "line:while read a; do sleep 0.1; echo \$a; done; sleep 0.3" < <(echo 1; sleep 1.5; echo 2; sleep 1.5)
	exits 0
	silent
	prints $'1\n2'
}

@test "a line: command that is one answer behind gets what comes, while it comes" {
	# The first answer needs the second record, and a file is not what it reads.
	begin run "line:sed -un 'x; 1!p; \${x; p}'"
	give '1\n2\n3\n'
	eventually out_is $'1\n2'
	give '4\n'
	eventually out_is $'1\n2\n3'
	finish
	ended
	exits 0
	silent
	prints $'1\n2\n3\n4'
}

@test "a line: command that is killed after its last answer is no success" {
	printf 'import os, sys\nfor line in sys.stdin:\n    print(line, end="", flush=True)\nos.kill(os.getpid(), 15)\n' >crash.py
	leat run 'line:python3 crash.py' < <(seq 3)
	exits 3
	prints $'1\n2\n3'
	says_one "leat: stage 'crash': was killed by SIGTERM after its last answer"
}

@test "line: takes records of any bytes, and of none" {
	printf 'a\0\0b\nc\0' >records
	leat run --frame nul 'line:cat' <records
	exits 0
	same records out
	printf '\n\nx\n\n' >records
	leat run 'line:cat' <records
	exits 0
	same records out
	printf '\3\0\0\0a\0\n\0\0\0\0\1\0\0\0\n' >records
	leat run --frame u32 'line:cat' line:cat <records
	exits 0
	same records out
}

@test "several line: processes that buffer go on where memory has no room for what they want to hear" {
	seq 100000 >records
	sed s/^/x/ records >expected
	local options
	for options in '-j 8 --memory 64M' '-j 4 --memory 16M'; do
		# shellcheck disable=SC2086 # words
		leat run $options "line:awk '{ print \"x\" \$0 }'" <records
		exits 0
		silent
		same expected out
	done
	python3 -c 'for i in range(40): print(i % 10, 1000000 * "x")' >records
	sed s/^/x/ records >expected
	leat run -j 4 --memory 64M 'line:sed s/^/x/' <records
	exits 0
	silent
	same expected out
	no_leftovers
}

# One whose buffer is its own: nothing that it is started with makes it smaller.
keeps_a_thousand() {
	cat >keeps.py <<'END'
import sys
kept = []
for line in sys.stdin:
    kept.append(line[:line.index(" ") + 1] + "\n")
    if len(kept) == 1000:
        sys.stdout.write("".join(kept))
        sys.stdout.flush()
        kept = []
sys.stdout.write("".join(kept))
END
}

@test "line: processes that keep a thousand answers get a thousand records, from a pipe, in little memory" {
	keeps_a_thousand
	python3 -c 'for i in range(20500): print(i, 900 * "x")' >records
	cut -d' ' -f1 records | sed 's/$/ /' >expected
	local options
	for options in '-j 1 --memory 16M' '-j 2 --memory 64M' '-j 4 --memory 32M' '-j 4'; do
		# shellcheck disable=SC2086 # words
		leat run $options 'line:python3 keeps.py' < <(cat records)
		exits 0
		silent
		same expected out
	done
	no_leftovers
}

@test "several line: stages that buffer go on where one waits for the other's answers" {
	seq 60000 >records
	sed 's/^/xx/' records >expected
	local options
	for options in '-j 2 --memory 4M' '-j 8 --memory 16M'; do
		# shellcheck disable=SC2086 # words
		leat run $options "line:awk '{ print \"x\" \$0 }'" "b=line:awk '{ print \"x\" \$0 }'" < <(cat records)
		exits 0
		silent
		same expected out
	done
	no_leftovers
}

@test "a line: process that wants to hear more than there is memory for is told as that, and ends with the run" {
	keeps_a_thousand
	python3 -c 'for i in range(20000): print(i, 4000 * "x")' >records
	begin run --memory 4M --stall 1 'line:python3 keeps.py'
	cat records >&8 &
	local feeder=$!
	eventually grep -q "leat: stage 'keeps': process [0-9]* has answered nothing for 1 s and owes [0-9]* answers: it waits for more input than --memory has room for, " err
	kill -INT "$run"
	ended
	exits 130
	kill "$feeder"
	no_leftovers
}
