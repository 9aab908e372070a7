#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# So many pictures of different sizes: make_images.sh COUNT FOLDER
set -eu
mkdir -p "$2"
n=0
while [ "$n" -lt "$1" ]; do
	n=$((n + 1))
	pgmramp -ellipse $((200 + 40 * n)) $((400 - 10 * n)) >"$2/picture $n.pgm"
done
