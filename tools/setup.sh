#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what building, testing or measuring leat needs and this machine lacks.
#
#	tools/setup.sh build|test|bench
#
# On Debian and its relatives through apt, as root or by sudo. Elsewhere it only
# says what is needed: the build that follows tells what it could not find.
set -eu

# The one list of what leat needs, in Debian's names; README.md points here.
build='gcc libc6-dev libgmp-dev libjansson-dev libxxhash-dev meson ninja-build pkg-config python3 scdoc'
test='bats clang clang-format clang-tidy git libclang-rt-dev libcmocka-dev netpbm procps shellcheck spin'
bench='g++ golang-go libboost-dev libtbb-dev parallel'

case ${1-} in
build) wanted=$build ;;
test) wanted="$build $test" ;;
bench) wanted="$build $bench" ;;
*)
	echo 'usage: tools/setup.sh build|test|bench' >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "set-up: no apt here; needed (Debian's names): $wanted" >&2
	exit 0
fi

# One query for all: a rerun with nothing missing costs some 20 ms.
# shellcheck disable=SC2016,SC2086 # ${...} is dpkg's; the list is split on purpose
installed=$(dpkg-query -W -f '${db:Status-Status}:${Package}\n' $wanted 2>/dev/null) || :
missing=
for package in $wanted; do
	case "
$installed
" in
	*"
installed:$package
"*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "set-up: missing, and neither root nor sudo to install them: apt-get install$missing" >&2
		exit 1
	fi
	# Without a terminal nobody can answer sudo's question.
	as_root='sudo -n'
	[ ! -t 0 ] || as_root=sudo
fi

echo "set-up: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT

apt_get() {
	# Another apt at work is waited for, not failed on.
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" \
		>>"$log" 2>&1 </dev/null
}

# shellcheck disable=SC2086 # one word a package
if ! { apt_get update && apt_get install -y --no-install-recommends $missing; }; then
	tail -n 20 "$log" >&2
	echo "set-up: could not install$missing" >&2
	exit 1
fi
