#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who may use whom. A layer's include folders stop an upward include already;
# here it is said by name, and what those folders rest on is looked at: a
# header's name is unique, and is not one of the C library's. Speaks TAP.
#
#	layers.sh SOURCE_ROOT
set -u
cd "$1" || exit 1

# The rooms, lowest first: each may include its own headers and those of the ones before.
rooms='base record ring stage observe command work flow crew remote run'

# may ROOM: the folders whose headers it may include.
may() {
	case $1 in
	cli) echo src/observe cli cli/compare ;;
	cli/compare) echo src/observe cli cli/compare ;;
	src/*)
		for room in $rooms; do
			printf 'src/%s ' "$room"
			[ "src/$room" != "$1" ] || return
		done
		;;
	esac
}

n=0
# result NAME FINDINGS: fails if there are any.
result() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n $1"
	else
		echo "not ok $n $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# Prints the includes of a layer that leave what it may use.
upward() {
	allowed=$(may "$1")
	case " $allowed" in
	*"$1 "* | *"$1") ;;
	*) echo "$1 is not in the table of rooms: tests/headers/layers.sh" ;;
	esac
	find "$1" -maxdepth 1 -name '*.[ch]' -exec grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' {} + |
		sed 's/^\([^:]*:[^:]*\):.*"\(.*\)".*/\1 \2/' |
		while read -r where header; do
			# Made by the build, for all layers.
			[ "$header" != config.h ] || continue
			for layer in $allowed; do
				[ ! -f "$layer/$header" ] || continue 2
			done
			echo "$where: $header is not of $allowed"
		done
}

for layer in src/* cli cli/*; do
	[ ! -d "$layer" ] || result "$layer includes its own and lower rooms" "$(upward "$layer")"
done

headers=$(find src cli -name '*.h' | sed 's,.*/,,' | sort)
result 'header names are unique' "$(printf '%s\n' "$headers" | uniq -d)"

shadows() {
	for header in $headers; do
		for system in /usr/include /usr/include/*-linux-*; do
			[ ! -f "$system/$header" ] || echo "$header hides $system/$header"
		done
	done
}
result "no header hides the C library's" "$(shadows)"
echo "1..$n"
