# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the program share. Each test has a folder of its own, its
# current one; leat's output is in the files out and err there, its status in $status.

MODES=(single threads processes shell auto)
# auto only chooses among these.
DISTINCT=(single threads processes shell)
STAGES=$BATS_TEST_DIRNAME/stages

# Whether the program was built with a sanitizer; with some of address, undefined and
# thread (a|ub|t), or any.
is_sanitized() {
	ldd "$LEAT" | grep -qE "lib(${1:-a|ub|t})san"
}

# Seconds after which what should have happened never will, and those a run may take.
PATIENCE=10
LIMIT=20
if is_sanitized; then
	PATIENCE=40
	LIMIT=100
fi

setup() {
	: "${LEAT:?the program to test}" "${LEAT_SOURCE:?the folder of the sources}"
	# Every process of the test inherits this, and is recognised by it.
	export LEAT_TEST_MARK=$BATS_TEST_TMPDIR
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$BATS_FILE_TMPDIR/cache}
	export PYTHONPYCACHEPREFIX=$BATS_FILE_TMPDIR/pycache
	unset PYTHONDONTWRITEBYTECODE
	prefer_python
	mkdir "$TMPDIR" "$BATS_TEST_TMPDIR/work"
	# Others may keep files of theirs there.
	find /dev/shm -name '*leat*' | sort >"$BATS_TEST_TMPDIR/shm"
	cd "$BATS_TEST_TMPDIR/work" || return
}

# A failed test leaves nothing behind either.
teardown() {
	local pid
	for pid in $(marked); do
		kill -9 "$pid" 2>/dev/null || true
	done
}

# A python3 that a version manager provides is a script, slower than all else here.
prefer_python() {
	local first
	first=$(command -v python3)
	if [ ! -e "$BATS_RUN_TMPDIR/python" ]; then
		python3 -c 'import sys; print(sys.executable)' >"$BATS_RUN_TMPDIR/python.$$"
		mv "$BATS_RUN_TMPDIR/python.$$" "$BATS_RUN_TMPDIR/python"
	fi
	# One that preloads a sanitizer must stay the first.
	if ! grep -q LD_PRELOAD "$first"; then
		PATH=$(dirname "$(<"$BATS_RUN_TMPDIR/python")"):$PATH
		export PATH
	fi
}

# leat ARGUMENT...: runs the program; in out, err and $status is what came of it.
leat() {
	status=0
	echo "leat $*"
	timeout -k 5 "$LIMIT" "$LEAT" "$@" >out 2>err 3>&- || status=$?
}

# chain SHELL-TEXT: the same for a shell's pipe, whose status is that of "$LEAT".
chain() {
	status=0
	echo "$1"
	timeout -k 5 "$LIMIT" bash -c "$1" >out 2>err 3>&- || status=$?
}

# begin ARGUMENT...: starts the program with an input that stays open; $run is its number.
# give TEXT writes to that input, finish closes it, ended waits for the program.
begin() {
	echo "leat $* &"
	rm -f in
	mkfifo in
	exec 8<>in
	: >out
	# What a shell starts beside itself ignores interrupts, and under nohup hangups, unless told
	# otherwise.
	env --default-signal=INT,QUIT,HUP "$LEAT" "$@" <in >out 2>err 3>&- 8>&- &
	run=$!
}

give() {
	printf "$@" >&8
}

finish() {
	exec 8>&-
}

is_over() {
	! kill -0 "$run" 2>/dev/null
}

ended() {
	eventually is_over
	status=0
	wait "$run" || status=$?
}

# eventually COMMAND...: waits until it succeeds; fails when it never does.
eventually() {
	local deadline=$((SECONDS + PATIENCE))
	until "$@"; do
		if ((SECONDS > deadline)); then
			echo "never came true: $*"
			show
			return 1
		fi
		sleep 0.01
	done
}

out_is() {
	[ "$(cat out)" = "$1" ]
}

# What the last run has left, for whoever reads of a failure.
show() {
	echo "status: $status"
	echo "out: $(head -c 500 out)"
	echo "err: $(head -c 2000 err)"
	local pid
	for pid in $(marked); do
		echo "process $(cut -d ' ' -f 1-3 "/proc/$pid/stat"): $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
}

fail() {
	printf '%s\n' "$@"
	show
	return 1
}

# exits STATUS
exits() {
	[ "$status" = "$1" ] || fail "expected status $1"
}

# prints TEXT: all that is on stdout, but for the newline at its end.
prints() {
	printf '%s' "$1${1:+$'\n'}" | cmp -s - out || fail "expected on stdout: $1"
}

# says LINE...: all that is on stderr, line by line.
says() {
	printf '%s\n' "$@" | cmp -s - err || fail "expected on stderr:" "$@"
}

# says_one PATTERN: one line on stderr, which the extended regular expression matches whole.
says_one() {
	if [ "$(wc -l <err)" != 1 ] || ! grep -qxE "$1" err; then
		fail "expected one line on stderr: $1"
	fi
}

# says_last PATTERN: the same, where others (a compiler, a shell) have spoken before.
says_last() {
	if [ "$(grep -c '^leat' err)" != 1 ] || ! tail -1 err | grep -qxE "$1"; then
		fail "expected one line of leat's on stderr, the last: $1"
	fi
}

silent() {
	[ ! -s err ] || fail "expected nothing on stderr"
}

# same FILE FILE
same() {
	cmp "$1" "$2" || fail "$1 and $2 differ"
}

# The numbers of the processes that this test has started, by the mark they inherited.
marked() {
	local found
	# The mark is taken away from the program that looks.
	found=$(env -u LEAT_TEST_MARK grep -lszxF "LEAT_TEST_MARK=${1:-$BATS_TEST_TMPDIR}" /proc/[0-9]*/environ) || true
	for found in $found; do
		found=${found#/proc/}
		echo "${found%/environ}"
	done
}

nobody_left() {
	[ -z "$(marked)" ]
}

# Nothing of a run is left: no process, so no shared memory without a name either;
# nothing in /dev/shm or among the temporary files. What has been killed needs a moment.
no_leftovers() {
	local moment=$((SECONDS + 3))
	until nobody_left; do
		if ((SECONDS > moment)); then
			ps -o pid,ppid,pgid,stat,args -p "$(marked | paste -sd,)" || true
			fail "processes are left"
			return 1
		fi
		sleep 0.02
	done
	# ThreadSanitizer makes one for a moment when a program of its starts.
	[ -z "$(ls -A -I 'tsan.rodata.*' "$TMPDIR")" ] ||
		fail "files are left: $(ls -A "$TMPDIR")" || return
	[ -z "$(find /dev/shm -name '*leat*' | sort | comm -23 - "$BATS_TEST_TMPDIR/shm")" ] ||
		fail "shared memory is left"
}

# each_way STAGE: of the file records it makes the file expected in every mode, with several workers.
each_way() {
	local options
	for options in '-m single' '-m threads' '-m processes' '-m shell' '-j 1' '-j 4' '-j auto'; do
		# shellcheck disable=SC2086 # words
		leat run $options "$1" <records
		exits 0 && silent && same expected out || return
	done
}
