#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a Python class keeps from record to record is never lost in silence.

load helper

# A class that numbers its records, and whose process is killed once, at the third.
numbered() {
	rm -f died
	cat >numbered.py <<-'PYTHON'
		import os, pathlib, signal

		class Numbered:
		    def __init__(self):
		        self.n = 0

		    def __call__(self, record: int) -> int:
		        if record == 3 and not pathlib.Path("died").exists():
		            pathlib.Path("died").touch()
		            os.kill(os.getpid(), signal.SIGKILL)
		        self.n += 1
		        return self.n
	PYTHON
}

@test "a class whose process dies fails the run in every mode" {
	local mode
	for mode in "${MODES[@]}"; do
		numbered
		leat run -m "$mode" numbered.py:Numbered < <(seq 5)
		exits 3
		says_one "leat: stage 'Numbered': was killed by SIGKILL .*, and the state it kept is gone \(--restart-state begins with a new one\), .*record.*"
		# Whatever came out before is right.
		[ "$(cat out)" = "$(seq "$(wc -l <out)")" ]
		no_leftovers
	done
}

@test "a class in a pool of workers fails the run too" {
	numbered
	leat run -j3 numbered.py:Numbered "$STAGES/numbers.c:increment" < <(seq 5)
	exits 3
	no_leftovers
}

@test "--restart-state goes on with a new object in every mode" {
	local mode
	for mode in "${MODES[@]}"; do
		numbered
		leat run -m "$mode" --restart-state numbered.py:Numbered < <(seq 5)
		exits 0
		[ "$(wc -l <out)" = 5 ]
		[ "$(head -1 out)" = 1 ]
		[ "$(tail -1 out)" -lt 5 ]
	done
}
