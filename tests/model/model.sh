#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Checks the model of the ring exhaustively, in several forms, and that each mutation
# of it gives the error that it must. Speaks TAP; a form's numbers are in the comment
# before its line.
#
#	model.sh RING_PML
set -eu
model=$(realpath "$1")

if ! command -v spin >/dev/null; then
	echo '1..0 # SKIP spin is not installed'
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

n=0
# result STATUS NAME: what was done is in `said`, and is shown where it failed.
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' said
	fi
}

# search PAN_OPTIONS COMPILER_OPTIONS MODEL_OPTIONS: makes the verifier, and runs it.
search() {
	pan_options=$1
	compiler_options=$2
	model_options=$3
	rm -f pan
	# shellcheck disable=SC2086 # lists of options
	if spin -a $model_options "$model" >said 2>&1 &&
		"${CC:-cc}" -w $compiler_options -DMEMLIM=1800 -o pan pan.c >>said 2>&1; then
		# Its status says nothing. It ends in any case at the limit of its memory.
		./pan -m10000 -n $pan_options >>said 2>&1 || :
	fi
}

# Whether nothing was found and nothing was left out, for want of depth or memory: pan
# counts no error then either, but says so in a line of its own.
is_proved() {
	grep -q '^Full statespace search for:' said &&
		grep -q 'errors: 0$' said &&
		! sed '/^pan: elapsed time/d; /^pan: rate/d' said | grep -Eiq '^(pan|error|warning)'
}

# proof NAME MODEL_OPTIONS [progress]: no assertion fails, and nobody waits for ever;
# with `progress`, nobody runs for ever either.
proof() {
	if [ "${3-}" ]; then
		search -l '-O2 -DNP -DNOFAIR' "$2"
	else
		search '' '-O2 -DSAFETY' "$2"
	fi
	status=0
	is_proved || status=1
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' said)
	echo "# $states states: $2"
	result "$status" "$1"
}

# mutation NAME ERROR MODEL_OPTIONS: the error must be found.
mutation() {
	search '' '-O1 -DSAFETY' "$3"
	status=0
	grep -q "^pan:1: $2" said || status=1
	echo "# $(sed -n 's/^pan:1: //p' said)"
	result "$status" "without $1: $2"
}

echo 1..23
proof 'a worker a stage' '-DBATCHES=5 -DCRASHES=2'
proof 'a pool' '-DPOOL -DBATCHES=5 -DCRASHES=1'
proof 'a pool, its first stage serial' '-DPOOL -DSERIAL=1 -DBATCHES=5 -DCRASHES=1'
proof 'a pool, its second stage serial' '-DPOOL -DSERIAL=2 -DBATCHES=5 -DCRASHES=1'
proof 'a pool with two deaths' '-DPOOL -DSERIAL=2 -DBATCHES=4 -DCRASHES=2'
proof 'four slots' '-DPOOL -DSERIAL=2 -DSLOTS=4 -DBATCHES=5'
proof 'a worker a stage, a failing batch' '-DFAILING -DBATCHES=4 -DCRASHES=1'
proof 'a pool, a failing batch' '-DPOOL -DSERIAL=2 -DFAILING -DBATCHES=4 -DCRASHES=1'
proof 'a claim taken back from the living' '-DPOOL -DSERIAL=2 -DDOUBT -DBATCHES=4 -DCRASHES=1'
proof 'a pool, one of which parks' '-DPOOL -DSERIAL=2 -DPARK=2 -DBATCHES=3 -DCRASHES=1'
proof 'a worker a stage comes to an end' '-DBATCHES=4 -DCRASHES=1' progress
proof 'a pool comes to an end' '-DPOOL -DSERIAL=2 -DBATCHES=4 -DCRASHES=1' progress

few='-DBATCHES=4 -DCRASHES=1'
mutation 'the take-back of a claim' 'invalid end state' "$few -DNO_TAKE_BACK"
mutation 'the wake-up after a commit' 'invalid end state' "$few -DNO_WAKE"
mutation 'the second look' 'invalid end state' "$few -DNO_SECOND_LOOK"
mutation 'the count of wake-ups' 'invalid end state' "$few -DPOOL -DNO_COUNT"
mutation 'the look at the batch before' 'assertion violated' "$few -DPOOL -DSERIAL=2 -DNO_PREDECESSOR"
mutation 'the CAS of a commit' 'assertion violated' "$few -DPOOL -DSERIAL=2 -DDOUBT -DNO_CAS"
mutation 'a wake-up for each death' 'invalid end state' "$few -DNO_DEATH_WAKE"
mutation 'waking the own group after a commit' 'invalid end state' '-DPOOL -DSERIAL=2 -DPARK=2 -DBATCHES=3 -DNO_OWN_WAKE'
mutation 'rousing who is parked' 'invalid end state' '-DPOOL -DSERIAL=2 -DPARK=2 -DBATCHES=3 -DNO_PARK_ROUSE'
mutation 'waking whatever the bit says' 'invalid end state' "$few -DNO_ROUSE"
mutation 'a second area' 'assertion violated' "$few -DONE_AREA"
