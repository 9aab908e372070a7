#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Any identifier names a stage; what sets a variable for a command is part of the command.

load helper

# gives OUT STAGE: of the line a, in each mode.
gives() {
	local mode
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" "$2" <<<a
		exits 0
		prints "$1"
		silent
	done
}

@test "a name may begin with a capital" {
	gives a 'Sorter=line:cat'
	gives a 'Copy=cat'
	gives a 'Copy=cat -u'
	gives a 'COPY=cat'
	gives a '_copy=cat'
	leat run 'Broken=false' <<<a
	exits 3
	says_one "leat: stage 'Broken': command 'false' exited with status 1"
}

@test "a variable may be set for a command" {
	gives C "LC_ALL=C sh -c 'echo \$LC_ALL'"
	gives 'C 1' "LC_ALL=C LEAT_TEST=1 sh -c 'echo \$LC_ALL \$LEAT_TEST'"
}

@test "a command that only sets a variable is refused" {
	local stage
	for stage in 'line:A=b' 'stream:A=b C=d' 'each:A=b'; do
		leat run "$stage" <<<a
		exits 2
		prints ''
		says_one "leat: a stage that only sets a variable, '${stage#*:}': no command follows"
	done
}
