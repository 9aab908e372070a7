#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the environment does not have, or has too much of.

load helper

@test "commands are found without a PATH" {
	local mode
	for mode in "${MODES[@]}"; do
		seq 3 >records
		env -u PATH "$LEAT" run -m "$mode" line:cat 'sort -r' <records >out 2>err
		[ "$(cat out)" = $'3\n2\n1' ]
		[ ! -s err ]
	done
}

@test "a C stage is compiled without a cache folder, and nothing is left" {
	local mode
	for mode in "${MODES[@]}"; do
		seq 3 >records
		env -u HOME -u XDG_CACHE_HOME "$LEAT" run -m "$mode" "$STAGES/numbers.c:increment" <records >out
		[ "$(cat out)" = $'2\n3\n4' ]
		XDG_CACHE_HOME=/dev/null "$LEAT" run -m "$mode" "$STAGES/numbers.c:increment" <records >out
		[ "$(cat out)" = $'2\n3\n4' ]
		[ -z "$(ls "$TMPDIR")" ]
	done
}

@test "several Python workers share the cores that libraries use" {
	cat >threads.py <<-'PYTHON'
		import os

		NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

		def threads(n: int) -> str:
		    return " ".join(os.environ.get(name, "-") for name in NAMES)
	PYTHON
	unset OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS
	LEAT_CORES=8 leat run -w threads=4 threads.py:threads <<<1
	prints '2 2 2'
	LEAT_CORES=2 leat run -w threads=4 threads.py:threads <<<1
	prints '1 1 1'
	# One worker has them all, and what the user has set stays.
	leat run threads.py:threads <<<1
	prints '- - -'
	OMP_NUM_THREADS=7 LEAT_CORES=8 leat run -w threads=4 threads.py:threads <<<1
	prints '7 2 2'
}

@test "a user's modules may be called like Python's own" {
	local name mode
	for name in json queue types string enum signal copyreg; do
		echo 'raise SystemExit("this is not the one")' >$name.py
	done
	# And who imports one finds it.
	echo 'NAME = "mine"' >colorsys.py
	cat >plain.py <<-'PYTHON'
		import colorsys

		assert colorsys.NAME == "mine"

		def plain(record):
		    return {"n": record}

		def wrong(n: int) -> int:
		    raise ValueError("odd")
	PYTHON
	for mode in "${MODES[@]}"; do
		leat run -m "$mode" plain.py:plain <<<1
		exits 0
		prints '{"n":1}'
		silent
		leat run -m "$mode" plain.py:wrong <<<1
		exits 3
		grep -q 'ValueError: odd' err
		! grep -q 'not the one' err
	done
}

@test "a file of a package may import its neighbours" {
	mkdir -p pack/inner
	touch pack/__init__.py pack/inner/__init__.py
	echo 'STEP = 2' >pack/constants.py
	cat >pack/inner/stage.py <<-'PYTHON'
		from ..constants import STEP

		def step(n: int) -> int:
		    return n + STEP
	PYTHON
	leat run pack/inner/stage.py:step <<<1
	exits 0
	prints 3
}
