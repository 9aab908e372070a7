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

# may LAYER: the layers whose headers it may include.
may() {
	case $1 in
	src/base) echo src/base ;;
	src/ring) echo src/base src/ring ;;
	src/stage) echo src/base src/ring src/stage ;;
	src/observe) echo src/base src/ring src/observe ;;
	src/remote) echo src/base src/ring src/stage src/remote ;;
	src/run) echo src/base src/ring src/stage src/observe src/remote src/run ;;
	cli) echo src/base src/observe cli ;;
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
	[ "$allowed" ] || echo "$1 is not in the table of layers: tests/headers/layers.sh"
	find "$1" -name '*.[ch]' -exec grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' {} + |
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

for layer in src/* cli; do
	[ ! -d "$layer" ] || result "$layer includes its own and lower layers" "$(upward "$layer")"
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
