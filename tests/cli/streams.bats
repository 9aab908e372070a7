#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a stream command reads and writes: the run's own file or pipe at the ends, and
# one kernel pipe between neighbours, which nobody else has open.

load helper

# sh is N...: says on stderr what its descriptors N are. sh as N...: and does what cat does.
write_scripts() {
	# shellcheck disable=SC2016 # for the script
	# Looked at before anything is redirected.
	echo 'for fd; do link=$(readlink "/proc/$$/fd/$fd"); echo "$link" >&2; done' >is
	echo '. ./is; exec cat' >as
}

@test "the files of -i and -o are a command's own" {
	write_scripts
	seq 5 >numbers
	leat run -i numbers -o result 'sh as 0 1'
	exits 0
	says "$PWD/numbers" "$PWD/result"
	same numbers result
	leat run -i numbers -o result 'sh as 0' cat 'sh as 1'
	exits 0
	sort -o err err
	says "$PWD/numbers" "$PWD/result"
	no_leftovers
}

@test "the run's own stdin and stdout are a command's" {
	write_scripts
	seq 5 >numbers
	chain "'$LEAT' run 'sh as 0' <numbers"
	prints "$(seq 5)"
	says "$PWD/numbers"
	# Pipes have numbers.
	chain "seq 5 | { sh is 0; '$LEAT' run 'sh as 0' cat; }"
	grep -q '^pipe:' err
	[ "$(wc -l <err)" = 2 ] && [ "$(uniq err | wc -l)" = 1 ] || fail "not the same pipe"
	chain "seq 5 | { sh is 1; '$LEAT' run cat 'sh as 1'; } | cat"
	prints "$(seq 5)"
	grep -q '^pipe:' err
	[ "$(wc -l <err)" = 2 ] && [ "$(uniq err | wc -l)" = 1 ] || fail "not the same pipe"
	no_leftovers
}

@test "neighbours share one wide pipe that leat has let go" {
	cat >size.py <<-'END'
		import fcntl, os, sys
		def say():
		    print(os.readlink(f"/proc/self/fd/{end}"), fcntl.fcntl(end, fcntl.F_GETPIPE_SZ),
		          file=sys.stderr)
		end = int(sys.argv[1])
		sys.stdout.write(sys.stdin.read())
		say()
		ours = [os.readlink(f"/proc/{os.getppid()}/fd/{fd}")
		        for fd in os.listdir(f"/proc/{os.getppid()}/fd")]
		assert os.readlink(f"/proc/self/fd/{end}") not in ours, ours
	END
	leat run 'python3 size.py 1' 'python3 size.py 0' < <(seq 3)
	exits 0
	prints "$(seq 3)"
	[ "$(wc -l <err)" = 2 ] && [ "$(uniq err | wc -l)" = 1 ] || fail "not one pipe"
	read -r _ size <err
	# Other users have a limit to share.
	[ "$(id -u)" != 0 ] || [ "$size" = 1048576 ] || fail "it is small: $size"
	no_leftovers
}

@test "commands take turns as batch processes, unless the caller chose otherwise" {
	# The kernel's number of the policy is the 41st field.
	echo 'cat; exec cut -d" " -f41 /proc/self/stat' >policy
	leat run cat 'sh policy' </dev/null
	prints "$(chrt -b 0 sh policy </dev/null)"
	chain "chrt -i 0 '$LEAT' run cat 'sh policy' </dev/null"
	prints "$(chrt -i 0 sh policy </dev/null)"
	[ "$(chrt -i 0 sh policy </dev/null)" != "$(chrt -b 0 sh policy </dev/null)" ]
	no_leftovers
}

@test "a chain of stream commands passes everything" {
	seq 300000 >numbers
	leat run -i numbers 'tr 0-9 1-90' 'tee copy' 'tr 1-90 0-9' cat
	exits 0
	silent
	same numbers out
	same <(tr 0-9 1-90 <numbers) copy
	no_leftovers
}
