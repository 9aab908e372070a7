#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What fails says so in one clear line, with the right status; what came before the
# failure comes out, and nothing is left.

load helper

TRIED=("${DISTINCT[@]}")

# failing STATUS OUT PATTERN STAGE...: of the records 1 to 5, in each mode.
failing() {
	local mode expected_status=$1 expected_out=$2 expected_line=$3
	shift 3
	for mode in "${TRIED[@]}"; do
		leat run -m "$mode" "$@" < <(seq 5)
		exits "$expected_status" && prints "$expected_out" && says_one "$expected_line" || return
		no_leftovers || return
	done
}

@test "a missing file" {
	TRIED=("${MODES[@]}")
	failing 2 '' "leat: stage 'f': nowhere\.py: No such file or directory" cat nowhere.py:f
	failing 2 '' "leat: stage 'f': nowhere\.c: No such file or directory" nowhere.c:f
	failing 2 '' "leat: stage 'f': nowhere\.so: No such file or directory" nowhere.so:f
	failing 2 '' "leat: stage 'my': nowhere\.py: No such file or directory" my=nowhere.py:f
}

@test "a missing module" {
	failing 2 '' "leat: stage 'f': no module named 'no_such_module'" py:no_such_module:f
}

@test "a missing function" {
	cp "$STAGES"/numbers.* .
	failing 2 '' "leat: stage 'twise': numbers\.py has no function 'twise'.*did you mean twice\?" numbers.py:twise
	failing 2 '' "leat: stage 'twise': numbers\.c: no function 'twise'.*" numbers.c:increment numbers.c:twise
}

@test "a folder and an unreadable file in place of a source" {
	mkdir a.py a.c
	failing 2 '' "leat: stage 'f': a\.py: Is a directory" a.py:f
	failing 2 '' "leat: stage 'f': a\.c: Is a directory" a.c:f
}

@test "a source without its function's name" {
	cp "$STAGES/numbers.py" .
	failing 2 '' "leat: stage 'numbers\.py': name its function, as in numbers\.py:FUNCTION" numbers.py
}

@test "a .c file that does not compile" {
	printf '#include <leat.h>\n\nint64_t f(int64_t n) { return m; }\nLEAT_STAGE(f)\n' >wrong.c
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/numbers.py:increment" wrong.c:f < <(seq 5)
		exits 2
		prints ''
		# The compiler has its say first.
		says_last "leat: stage 'f': wrong\.c does not compile.*wrong\.c:3"
		no_leftovers
	done
	# Nothing of it is kept.
	[ -z "$(find "$XDG_CACHE_HOME" -name '*wrong.c*')" ]
}

@test "a C function without LEAT_STAGE" {
	printf '#include <leat.h>\nint64_t f(int64_t n) { return n; }\n' >plain.c
	failing 2 '' "leat: stage 'f': plain\.c has f\(\) but no LEAT_STAGE\(f\).*" plain.c:f
}

@test "a compiler that is missing" {
	printf '#include <leat.h>\nint64_t f(int64_t n) { return n; }\nLEAT_STAGE(f)\n' >new.c
	export CC=no-such-compiler
	leat run new.c:f < <(seq 5)
	exits 2
	prints ''
	says_one "leat: stage 'f': .*no-such-compiler.*"
	no_leftovers
}

@test "a shared object that is none" {
	echo text >false.so
	failing 2 '' "leat: stage 'f': .*false\.so.*" ./false.so:f
}

@test "a Python function that raises at record 3" {
	TRIED=("${MODES[@]}")
	cp "$STAGES/failing.py" .
	failing 3 $'1\n2' "leat: stage 'fail': failing\.py:9: ValueError: three is too many, record 3: \"3\"" failing.py:fail
	failing 3 $'4\n6' "leat: stage 'fail': failing\.py:9: ValueError: three is too many, record 3: \"3\"" \
		"$STAGES/octets.c:copy" failing.py:fail "$STAGES/numbers.c:increment" "$STAGES/numbers.py:twice"
}

@test "a Python function that raises before and behind commands" {
	cp "$STAGES/failing.py" .
	failing 3 $'1\n2' "leat: stage 'fail': failing\.py:9: ValueError: three is too many, record 3: \"3\"" cat failing.py:fail cat
}

@test "a Python function that calls sys.exit" {
	cp "$STAGES/failing.py" .
	failing 3 $'1\n2' "leat: stage 'leave': failing\.py:15: sys\.exit\(\) called, record 3: \"3\"" failing.py:leave
}

@test "a Python process that is killed" {
	TRIED=("${MODES[@]}")
	cp "$STAGES/failing.py" .
	failing 3 $'1\n2' "leat: stage 'die': .*was killed by SIGKILL.*, record 3: \"3\"" failing.py:die
	failing 3 $'1\n2' "leat: stage 'die': .*was killed by SIGKILL.*, record 3: \"3\"" "$STAGES/octets.py:copy" failing.py:die
	failing 3 $'1\n2' "leat: stage 'die': .*was killed by SIGKILL.*, record 3: \"3\"" failing.py:die "$STAGES/octets.py:copy"
}

@test "a Python process that ends without a word" {
	cp "$STAGES/failing.py" .
	failing 3 $'1\n2' "leat: stage 'vanish': .*exited with status 0.*, record 3: \"3\"" failing.py:vanish "$STAGES/octets.c:copy"
}

@test "a Python module that raises on import" {
	printf 'import os\n\nraise RuntimeError("not today")\n\ndef f(n): return n\n' >rude.py
	failing 2 '' "leat: stage 'f': rude\.py:3: RuntimeError: not today" cat rude.py:f
	failing 2 '' "leat: stage 'f': rude: rude\.py:3: RuntimeError: not today" py:rude:f
	printf 'def f(n:\n' >garbled.py
	failing 2 '' "leat: stage 'f': garbled\.py:1: SyntaxError: .*" garbled.py:f "$STAGES/octets.c:copy"
	printf 'import sys\nsys.exit(0)\n' >gone.py
	failing 2 '' "leat: stage 'f': gone\.py:2: sys\.exit\(\) called" gone.py:f
}

@test "a missing interpreter" {
	failing 2 '' "leat: stage 'twice': no/python: No such file or directory.*" --python no/python "$STAGES/octets.c:copy" "$STAGES/numbers.py:twice"
	failing 2 '' "leat: stage 'twice': nopython: No such file or directory.*" --python nopython "$STAGES/numbers.py:twice"
}

@test "an interpreter that is none" {
	failing 2 '' "leat: stage 'twice': .*status 1.*" --python false "$STAGES/numbers.py:twice"
}

@test "a C function that refuses a record" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/octets.c:refuse" "$STAGES/octets.py:copy" < <(printf 'a\nbb\nccc\nd\n')
		exits 3
		prints $'a\nbb'
		says_one "leat: stage 'refuse': three bytes are too many, record 3: \"ccc\""
		no_leftovers
	done
}

@test "numbers too large for int64_t" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/numbers.c:increment" < <(printf '1\n9223372036854775807000\n')
		exits 3
		prints 2
		says_one "leat: stage 'increment': .*int64_t.*, record 2: \"9223372036854775807000\""
	done
}

@test "a C function that crashes in a process of its own" {
	if is_sanitized 'a|t'; then skip "the sanitizer handles it"; fi
	leat run -m processes "$STAGES/failing.c:crash" < <(seq 5)
	exits 3
	prints $'1\n2'
	says_one "leat: stage 'crash': was killed by SIGSEGV.*, record 3: \"3\""
	leat run -m processes "$STAGES/octets.c:copy" "$STAGES/failing.c:crash" "$STAGES/octets.py:copy" < <(seq 5)
	exits 3
	prints $'1\n2'
	says_one "leat: stage 'crash': was killed by SIGSEGV.*, record 3: \"3\""
	no_leftovers
}

@test "a C function that crashes in the run's own process" {
	if is_sanitized 'a|t'; then skip "the sanitizer handles it"; fi
	local mode
	for mode in single threads auto; do
		leat run -m "$mode" "$STAGES/octets.c:copy" "$STAGES/failing.c:crash" < <(seq 5)
		exits 3
		prints $'1\n2'
		says_one "leat: stage 'crash': crashed with SIGSEGV .*-m processes.*, record 3: \"3\""
		no_leftovers
	done
	for mode in threads auto; do
		leat run -m "$mode" cat "$STAGES/octets.py:copy" "$STAGES/failing.c:crash" cat < <(seq 5)
		exits 3
		prints $'1\n2'
		says_one "leat: stage 'crash': crashed with SIGSEGV .*-m processes.*, record 3: \"3\""
		no_leftovers
	done
}

@test "a C function that crashes as a program of its own" {
	if is_sanitized 'a|t'; then skip "the sanitizer handles it"; fi
	leat run -m shell "$STAGES/octets.py:copy" "$STAGES/failing.c:crash" "$STAGES/octets.c:copy" < <(seq 5)
	exits 3
	prints $'1\n2'
	says_one "leat: stage 'crash': .*SIGSEGV.*, record 3.*"
	no_leftovers
}

@test "a C function that crashes beside Python functions, in single mode" {
	if is_sanitized 'a|t'; then skip "the sanitizer handles it"; fi
	leat run -m single "$STAGES/octets.c:copy" "$STAGES/failing.c:crash" "$STAGES/octets.py:copy" < <(seq 5)
	exits 3
	prints $'1\n2'
	says_one "leat: stage 'crash': .*SIGSEGV.*, record 3.*"
	no_leftovers
}

@test "an input record over --max-record" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" --max-record 4 "$STAGES/octets.c:copy" "$STAGES/octets.py:copy" < <(printf '1234\n\n12345\n1\n')
		exits 3
		prints $'1234\n'
		says_one 'leat: stdin: record 3 is longer than the limit of 4 bytes; raise --max-record'
	done
	printf '1\n12345' >records
	leat run -i records --max-record 4 "$STAGES/octets.c:copy"
	exits 3
	prints 1
	says 'leat: records: record 2 is longer than the limit of 4 bytes; raise --max-record'
	no_leftovers
}

@test "an endless record stops at the limit" {
	leat run --max-record 1M "$STAGES/octets.c:copy" < <(cat /dev/zero)
	exits 3
	says_one 'leat: stdin: record 1 is longer than the limit of 1048576 bytes; raise --max-record'
}

@test "a result over --max-record" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" --max-record 5 "$STAGES/octets.py:longer" < <(printf '\nx\n')
		exits 3
		same <(echo) out
		says_one "leat: stage 'longer': .*10 bytes.* limit of 5.*, record 2: \"x\""
	done
	leat run --max-record 3 "$STAGES/numbers.c:twice" < <(printf '1\n999\n')
	exits 3
	prints 2
	says_one "leat: stage 'twice': .* 4 bytes.* limit of 3.*, record 2: \"999\""
}

@test "a command that is missing" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/numbers.c:increment" 'no-such-command -x' cat < <(seq 5)
		exits 2
		prints ''
		says "leat: stage 'no-such-command': command 'no-such-command -x' cannot be started: No such file or directory"
		leat run -m "$mode" "$STAGES/numbers.c:increment" 'no-such-command "$HOME"' cat < <(seq 5)
		exits 2
		prints ''
		# The shell has its say first.
		says_last "leat: stage 'no-such-command': command 'no-such-command \"\\\$HOME\"' .*127.*not found.*"
		no_leftovers
	done
}

@test "a command that fails in the middle" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/octets.c:copy" 'head -2; exit 7' "$STAGES/octets.py:copy" < <(seq 5)
		exits 3
		prints $'1\n2'
		says "leat: stage 'head': command 'head -2; exit 7' exited with status 7"
		no_leftovers
	done
}

@test "a command that ends early, and well, ends the run well" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" 'head -2' "$STAGES/octets.py:copy" < <(seq 100000)
		exits 0
		silent
		prints $'1\n2'
		leat run -m "$mode" "$STAGES/octets.c:copy" "$STAGES/octets.py:copy" 'head -2' cat < <(seq 20000)
		exits 0
		silent
		prints $'1\n2'
		leat run -m "$mode" cat 'head -2' "$STAGES/octets.c:copy" < <(seq 100000)
		exits 0
		silent
		prints $'1\n2'
		no_leftovers
	done
}

@test "a command that is killed" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		# shellcheck disable=SC2016 # for the stage's shell
		leat run -m "$mode" "$STAGES/octets.c:copy" 'it=head -2; kill -9 $$' "$STAGES/octets.py:copy" < <(seq 5)
		exits 3
		prints $'1\n2'
		says_one "leat: stage 'it': .*was killed by SIGKILL.*"
		no_leftovers
	done
}

@test "the first failure is the one that is told" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" "$STAGES/failing.py:fail" 'cat >/dev/null; sleep 0.1; exit 9' < <(seq 5)
		exits 3
		says_one "leat: stage 'fail': .*"
		no_leftovers
	done
}

@test "nothing a failed stage's command started is left" {
	local mode
	for mode in "${DISTINCT[@]}"; do
		leat run -m "$mode" 'sleep 1000 & cat' "$STAGES/failing.py:fail" 'sleep 1000 & cat' < <(seq 5)
		exits 3
		says_one "leat: stage 'fail': .*"
		no_leftovers
	done
}

@test "two stages with the same name" {
	failing 2 '' "leat: two stages are named 'a'" a=cat a=cat
}
