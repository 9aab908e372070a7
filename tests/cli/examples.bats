#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The examples of commands: each section of their README is run as it stands there.

load helper

# section TITLE: runs the commands below this heading, in a copy of the folder.
section() {
	mkdir bin
	ln -s "$LEAT" bin/leat
	cp "$LEAT_SOURCE"/examples/commands/* .
	awk -v title="## $1" '/^#/ {inside = $0 == title} inside && sub(/^    /, "")' README.md >section
	grep -q 'leat run' section && grep -qE 'cmp|diff' section || fail "no such section: $1" || return
	status=0
	PATH=$PWD/bin:$PATH timeout -k 5 "$LIMIT" bash -euo pipefail section >out 2>err 3>&- || status=$?
	exits 0
	silent
}

@test "a log is compressed in parallel" {
	section "Compress a log in parallel"
	# More than one part, or there is nothing to be said of it.
	[ "$(stat -c %s access.log)" -gt 3000000 ]
	zcat access.log.gz | cmp - access.log
	no_leftovers
}

@test "the images of a folder are resized" {
	command -v pamscale >/dev/null || skip "needs pamscale, of Debian's netpbm"
	section "Resize the images of a folder"
	[ "$(find small -name 'picture *.pgm' -size +0 | wc -l)" = 12 ]
	[ "$(wc -l <"done")" = 12 ]
	no_leftovers
}

@test "words are counted" {
	section "Count words"
	grep -qxE '20000 GET' counts
	no_leftovers
}

@test "a slow program is asked by several at once" {
	section "Call a slow program"
	[ "$(wc -l <answers)" = 100 ]
	no_leftovers
}
