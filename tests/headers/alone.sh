#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Each public header compiles alone, twice in a row, in plain C17, with no
# warning: whoever includes it needs nothing before it. Speaks TAP.
#
#	alone.sh SOURCE_ROOT COMPILER...
set -u

cd "$1/include" || exit 1
shift

n=0
for compiler; do
	if ! command -v "$compiler" >/dev/null; then
		n=$((n + 1))
		echo "ok $n $compiler # skip not here"
		continue
	fi
	for header in $(find . -name '*.h' | sed 's/^..//' | sort); do
		n=$((n + 1))
		if said=$(printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
			"$compiler" -std=c17 -Wall -Wextra -Wpedantic -Wconversion -Wundef -Wshadow -Werror \
				-fsyntax-only -I. -x c - 2>&1); then
			echo "ok $n $header ($compiler)"
		else
			echo "not ok $n $header ($compiler)"
			printf '%s\n' "$said" | sed 's/^/# /'
		fi
	done
done
echo "1..$n"
