#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The map of modules in ARCHITECTURE.md names each module in src/, and no file
# that does not exist. A row is: | src/record/frame.c | one line |. Speaks TAP.
#
#	map.sh SOURCE_ROOT
set -u
cd "$1" || exit 1

map=ARCHITECTURE.md
echo 1..2
if [ ! -f "$map" ]; then
	echo "not ok 1 every module is on the map"
	echo "not ok 2 the map names no file that does not exist"
	echo "# there is no $map"
	exit 0
fi

# The paths in the first column, with or without backquotes; a path has a slash
# and an extension, which tells a row of the map from those of other tables.
# shellcheck disable=SC2016 # backquotes of Markdown
named=$(sed -n 's,^| *`\{0\,1\}\([A-Za-z0-9_./-]*/[A-Za-z0-9_-]*\.[a-z]*\)`\{0\,1\} *|.*,\1,p' "$map")

# result N NAME FINDINGS: fails if there are any.
result() {
	if [ -z "$3" ]; then
		echo "ok $1 $2"
	else
		echo "not ok $1 $2"
		printf '%s\n' "$3" | sed 's/^/# /'
	fi
}

missing() {
	for file in src/*/*.c; do
		printf '%s\n' "$named" | grep -qxF "$file" || echo "not on the map: $file"
	done
}

gone() {
	for file in $named; do
		[ -f "$file" ] || echo "on the map, but not in the tree: $file"
	done
	printf '%s\n' "$named" | sort | uniq -d | sed 's/^/on the map twice: /'
}

result 1 'every module is on the map' "$(missing)"
result 2 'the map names no file that does not exist' "$(gone)"
