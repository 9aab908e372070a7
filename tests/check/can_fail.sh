#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Shows that ./check can fail: runs the real one on a tiny project whose tests
# fail in every way a test can, and compares what it says. Speaks TAP.
#
#	can_fail.sh SOURCE_ROOT
set -eu

tiny=$(mktemp -d)
trap 'rm -rf "$tiny"' EXIT
cp -r "$1/check" "$1/tools" "$tiny"
cd "$tiny"
# The tiny project needs nothing that is not here already.
printf '#!/bin/sh\n' >tools/setup.sh

cat >test.sh <<'END'
case $1 in
ok) ;;
exit) echo 'what it says' && exit 1 ;;
signal) kill -KILL $$ ;;
skip) exit 77 ;;
hang) exec sleep 60 ;;
tap) printf '1..4\nok 1 a\nnot ok 2 b\nok 3 c # skip why\nok 4 d\n' ;;
short) printf '1..2\nok 1 a\n' ;;
silent) exit 1 ;;
report) echo 'a sanitizer was here' >"$MESON_BUILD_ROOT/reports/report.1" ;;
esac
END

n=0
telling=passed
# expect NAME STATUS LAST_LINE TEST...: a project of these tests must end so, and
# $telling be found in what is said.
expect() {
	name=$1
	status=$2
	last=$3
	shift 3
	n=$((n + 1))
	{
		echo "project('tiny', 'c')"
		echo "sh = find_program('sh')"
		for test; do
			protocol=exitcode
			case $test in tap | short | silent) protocol=tap ;; esac
			timeout=30
			[ "$test" != hang ] || timeout=1
			echo "test('$test', sh, args: [files('test.sh'), '$test'], timeout: $timeout, protocol: '$protocol'," \
				"env: {'MESON_BUILD_ROOT': meson.project_build_root()})"
		done
		[ "$name" != 'a broken build' ] || echo 'error()'
	} >meson.build
	got=0
	./check plain >said 2>&1 || got=$?
	if [ "$got" = "$status" ] && [ "$(tail -n 1 said)" = "$last" ] && grep -q -e "$telling" said; then
		echo "ok $n $name"
	else
		echo "not ok $n $name"
		echo "# wanted: status $status, $last"
		echo "# got:    status $got, $(tail -n 1 said)"
		echo "# and somewhere: $telling"
		sed 's/^/# /' said
	fi
}

echo 1..8
expect 'all pass' 0 '1 passed, 0 failed' ok
expect 'all pass again' 0 '1 passed, 0 failed' ok
expect 'a failing case among others' 1 '3 passed, 1 failed, 1 skipped' ok tap
telling='| what it says'
expect 'every way to fail' 1 '2 passed, 5 failed, 1 skipped' ok exit signal hang short silent skip
telling='| a sanitizer was here'
expect "a sanitizer's report that no test noticed" 1 '2 passed, 1 failed' ok report
telling=passed
expect 'a broken build' 1 '0 passed, 1 failed' ok
expect 'no test at all' 1 '0 passed, 0 failed'
expect 'none but skipped ones' 1 '0 passed, 0 failed, 1 skipped' skip
