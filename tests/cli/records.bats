#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What goes in and what comes out: records of every kind and size, in every mode.

load helper

TRIED=("${DISTINCT[@]}")

# each_mode OPTION-OR-STAGE...: of the file records each mode makes the file expected.
each_mode() {
	local mode
	for mode in "${TRIED[@]}"; do
		leat run -m "$mode" "$@" <records
		exits 0 && silent && same expected out || return
	done
}

@test "100,000 records through two C stages are the same in every mode" {
	TRIED=("${MODES[@]}")
	seq 100000 >records
	seq 4 2 200002 >expected
	each_mode "$STAGES/numbers.c:increment" "$STAGES/numbers.c:twice"
	no_leftovers
}

@test "100,000 records through two Python stages are the same in every mode" {
	TRIED=("${MODES[@]}")
	seq 100000 >records
	seq 4 2 200002 >expected
	each_mode "$STAGES/numbers.py:increment" "$STAGES/numbers.py:twice"
	no_leftovers
}

@test "20,000 records through C, Python and commands are the same in every mode" {
	TRIED=("${MODES[@]}")
	seq 20000 >records
	seq 4 2 40002 >expected
	each_mode cat "$STAGES/numbers.py:increment" cat "$STAGES/numbers.c:twice" cat
	no_leftovers
}

@test "an empty input gives an empty output" {
	: >records
	: >expected
	each_mode "$STAGES/numbers.c:increment" "$STAGES/numbers.py:twice"
	each_mode cat
	each_mode cat "$STAGES/numbers.c:increment"
	no_leftovers
}

@test "a last line without a newline is a record" {
	printf '1\n2' >records
	printf '4\n6\n' >expected
	each_mode "$STAGES/numbers.c:increment" "$STAGES/numbers.c:twice"
	each_mode "$STAGES/numbers.py:increment" "$STAGES/numbers.py:twice"
}

@test "empty lines are records, and blanks stay" {
	printf '\n\n a \r\n\t\n\n' >records
	cp records expected
	each_mode "$STAGES/octets.c:copy" "$STAGES/octets.py:copy"
}

@test "a record of 60 MiB goes through C and Python" {
	{
		echo before
		head -c 62914560 /dev/zero | tr '\0' x
		printf '\nafter\n'
	} >records
	cp records expected
	each_mode "$STAGES/octets.c:copy" "$STAGES/octets.py:copy"
	no_leftovers
}

@test "bytes that are no text go through bytes functions" {
	printf '\377\376\0\001\n\0\0\n\300\200\n\355\240\200\n' >records
	cp records expected
	each_mode "$STAGES/octets.c:copy" "$STAGES/octets.py:copy"
	printf '\001\0\376\377\n\0\0\n\200\300\n\200\240\355\n' >expected
	each_mode "$STAGES/octets.py:reverse" "$STAGES/octets.c:reverse" "$STAGES/octets.py:reverse"
}

@test "every byte but the newline goes through" {
	python3 -c 'import sys; sys.stdout.buffer.write(bytes(i for i in range(256) if i != 10))' >records
	{ cat records && echo; } >expected
	each_mode "$STAGES/octets.c:copy" "$STAGES/octets.py:copy"
}

@test "text that is not UTF-8 fails in a str function, and the record is named" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/shapes.py:upper" < <(printf 'a\n\344\nb\n')
		exits 3
		prints A
		says_one "leat: stage 'upper': not UTF-8: .*, record 2: .*"
	done
}

@test "NUL frames may hold newlines" {
	printf 'a\nb\0\0c\n\0\n\0' >records
	printf 'b\na\0\0\nc\0\n\0' >expected
	each_mode --frame nul "$STAGES/octets.c:reverse"
	each_mode --frame nul "$STAGES/octets.py:reverse"
	printf 'a\nb\0\0c\n\0\n\0' >expected
	each_mode --frame=nul "$STAGES/octets.c:reverse" "$STAGES/octets.py:reverse" cat
}

@test "a last NUL frame may lack its end" {
	printf 'a\nb\0c' >records
	printf 'a\nb\0c\0' >expected
	each_mode --frame nul "$STAGES/octets.c:copy" "$STAGES/octets.py:copy"
}

@test "u32 frames may hold anything" {
	printf '\003\0\0\0a\n\0\0\0\0\0\001\0\0\0\n' >records
	printf '\003\0\0\0\0\na\0\0\0\0\001\0\0\0\n' >expected
	each_mode --frame u32 "$STAGES/octets.c:reverse"
	each_mode --frame u32 "$STAGES/octets.py:reverse"
}

@test "a u32 frame that is cut off fails after those before it" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" --frame u32 "$STAGES/octets.c:copy" < <(printf '\001\0\0\0a\005\0\0\0bc')
		exits 3
		same <(printf '\001\0\0\0a') out
		says_one 'leat: stdin: record 2 is cut off: .*'
		leat run -m "$mode" --frame u32 "$STAGES/octets.py:copy" < <(printf '\001\0\0\0a\005\0')
		exits 3
		same <(printf '\001\0\0\0a') out
		says_one 'leat: stdin: record 2 is cut off: .*'
	done
	no_leftovers
}

@test "a u32 length over the limit fails at once, before its bytes are waited for" {
	begin run --frame u32 "$STAGES/octets.c:copy"
	give '\001\0\0\0a\377\377\377\377'
	ended
	exits 3
	same <(printf '\001\0\0\0a') out
	says_one 'leat: stdin: record 2 is longer than the limit of 67108864 bytes; raise --max-record'
}

@test "a result with a newline is refused in newline frames" {
	local mode language
	for mode in "${DISTINCT[@]}"; do
		for language in c py; do
			leat run -m "$mode" "$STAGES/octets.$language:split" "$STAGES/octets.c:copy" < <(printf 'x\ny\n')
			exits 3
			prints ''
			says_one "leat: stage 'split': .*newline.*, record 1: \"x\""
		done
	done
	leat run --frame nul "$STAGES/octets.c:split" "$STAGES/octets.py:split" < <(printf 'x\0')
	exits 0
	same <(printf 'a\nb\0') out
}

@test "a function may drop records" {
	seq 5 >records
	printf '1\n3\n5\n' >expected
	each_mode "$STAGES/shapes.py:odd"
	printf '2\n4\n6\n' >expected
	each_mode "$STAGES/shapes.py:odd" "$STAGES/numbers.c:increment"
	printf '3\n5\n' >expected
	each_mode "$STAGES/numbers.c:increment" "$STAGES/shapes.py:odd"
}

@test "a function may give several records for one" {
	printf '%s\n' 3 0 1 >records
	printf '%s\n' 0 1 2 0 >expected
	each_mode "$STAGES/shapes.py:up_to"
	printf '%s\n' 1 2 3 1 >expected
	each_mode "$STAGES/shapes.py:up_to" "$STAGES/numbers.c:increment"
	printf 'ab\n\nx\n' >records
	printf 'ab\nab\nx\n' >expected
	each_mode "$STAGES/octets.c:repeat"
	each_mode "$STAGES/octets.c:repeat" "$STAGES/octets.py:copy"
}

@test "one record may become very many" {
	echo 200000 >records
	seq 0 199999 >expected
	each_mode "$STAGES/shapes.py:up_to"
}

@test "a class is built once and keeps its state" {
	seq 4 >records
	printf '%s\n' 1 3 6 10 >expected
	each_mode "$STAGES/shapes.py:Total"
	cp "$STAGES/shapes.py" .
	each_mode py:shapes:Total
}

@test "without annotations records are JSON" {
	printf '{"a": 1, "b": "\\u00e9"}\n{"b": [1.5, null], "a": {}}\n' >records
	printf '{"a":"é","b":1}\n{"a":[1.5,null],"b":{}}\n' >expected
	each_mode "$STAGES/shapes.py:swap"
}

@test "floats are written as Python writes them" {
	printf '%s\n' 1 0.1 1e300 -0 inf 3e-320 >records
	printf '%s\n' 0.5 0.05 5e+299 -0.0 inf 1.5e-320 >expected
	each_mode "$STAGES/shapes.py:half"
}

@test "what a function prints is no record" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/shapes.py:talk" "$STAGES/numbers.c:twice" < <(seq 2)
		exits 0
		prints $'2\n4'
		same <(printf '%s\n' 'talking 1' 'muttering 1' 'talking 2' 'muttering 2') err
	done
}

@test "-i and -o name files" {
	seq 5 >numbers
	local mode
	for mode in "${DISTINCT[@]}"; do
		echo 'longer than what is written over it, and much so' >sums
		leat run -m "$mode" -i numbers -o sums "$STAGES/numbers.c:increment" cat "$STAGES/numbers.py:twice" </dev/null
		exits 0
		silent
		prints ''
		same <(seq 4 2 12) sums
		leat run -m "$mode" --input=numbers --output=sums cat </dev/null
		exits 0
		same numbers sums
	done
	no_leftovers
}

@test "-o may not be -i, nor the file that stdin comes from" {
	seq 5 >numbers
	ln numbers other
	leat run -i numbers -o numbers "$STAGES/numbers.c:increment"
	exits 2
	says_one 'leat: numbers: .*input.*'
	same <(seq 5) numbers
	leat run -o other cat <numbers
	exits 2
	says_one 'leat: other: .*input.*'
	same <(seq 5) numbers
	leat run -i nowhere cat
	exits 2
	says 'leat: nowhere: No such file or directory'
	leat run -o no/where cat </dev/null
	exits 2
	says 'leat: no/where: No such file or directory'
	leat run -i . "$STAGES/numbers.c:increment"
	exits 3
	says_one 'leat: \.: .*[Ii]s a directory'
}

# answers MODE STAGE...: a line comes out as soon as it is in; 4, then 6.
answers() {
	begin run -m "$@"
	give '1\n'
	eventually out_is 4
	give '2'
	sleep 0.05
	out_is 4 || fail "half a line is no record"
	give '\n'
	eventually out_is $'4\n6'
	finish
	ended
	exits 0
	silent
}

@test "a line is answered before the next one comes, in every mode" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		answers "$mode" "$STAGES/numbers.c:increment" "$STAGES/numbers.c:twice"
		answers "$mode" "$STAGES/numbers.py:increment" "$STAGES/numbers.py:twice"
	done
	no_leftovers
}

@test "a line is answered through a command, where stages run side by side" {
	local mode
	for mode in threads processes shell auto; do
		answers "$mode" "$STAGES/numbers.c:increment" cat "$STAGES/numbers.py:twice"
		answers "$mode" cat "$STAGES/numbers.c:increment" "$STAGES/numbers.py:twice" cat
	done
	no_leftovers
}

@test "records that come in dribbles, now few and now many, are the same" {
	seq 30000 >records
	seq 4 2 60002 >expected
	local options
	for options in '-m single' '-m threads' '-m threads -j 2' '-w twice=3' '-m shell'; do
		# shellcheck disable=SC2086 # words
		leat run $options "$STAGES/numbers.c:increment" "$STAGES/numbers.c:twice" \
			< <(python3 "$BATS_TEST_DIRNAME/dribble.py" records)
		exits 0
		silent
		same expected out
	done
	no_leftovers
}

@test "what fails in a dribble fails behind all that came before it" {
	printf '1\n2\n3\n' >records
	printf 'x\n' >>records
	begin run "$STAGES/numbers.c:increment" "$STAGES/numbers.c:twice"
	while read -r record; do
		give '%s\n' "$record"
		sleep 0.02
	done <records
	ended
	exits 3
	printf '4\n6\n8\n' >expected
	same expected out
	says_one "leat: stage 'increment': not an integer, record 4: \"x\""
	finish
}

@test "a slow stage holds the source back" {
	cat >slow.py <<-'EOF'
		import time
		def slow(record: bytes) -> bytes:
		    time.sleep(0.02)
		    return record[:1]
	EOF
	cat >write.py <<-'EOF'
		import os, sys
		for i in range(1000):
		    os.write(1, b"x" * 100000 + b"\n")
		    print(i, file=sys.stderr)
	EOF
	# 1000 records of 100 KB would be 100 MB; the window is smaller by far.
	local mode
	for mode in threads processes; do
		python3 write.py 2>written |
			timeout 1 "$LEAT" run -m "$mode" slow.py:slow >out 2>err || true
		[ "$(wc -l <written)" -lt 400 ] || fail "$(wc -l <written) were read"
	done
	no_leftovers
}
