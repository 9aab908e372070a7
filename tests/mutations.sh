#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Takes one thing that the ring or its recovery cannot do without out of a copy of the
# sources, and shows that a test fails without it: for each such mutation a row with the
# test, the seconds until it failed, and the decisive line of what it said. That they pass
# with everything in place is for ./check. Takes some minutes.
#
#	tests/mutations.sh [NAME...]
#
# Fails where a test does not find what is missing, and where a mutation no longer changes
# anything or does not compile: then it must be written anew. LEAT_SEED=N repeats a run.
set -u
root=$(dirname "$(dirname "$(realpath "$0")")")
seed=${LEAT_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
# Not a wrapper on PATH, which might change PATH.
python=$(python3 -c 'import sys; print(sys.executable)')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# gcc 12's ThreadSanitizer does not start where the kernel scatters mappings widely.
runner='setarch -R'
$runner true || runner=
wanted=" $* "
missed=0
tried=0

build() {
	ninja -C "$work/$1" >"$work/said" 2>&1
}

# test_of BUILD TEST [CASE]: runs it; what it says is in the file said.
test_of() {
	built=$work/$1
	LEAT=$built/leat
	LEAT_SOURCE=$work/tree
	XDG_CACHE_HOME=$work/cache
	export LEAT LEAT_SOURCE XDG_CACHE_HOME
	case $2 in
	stress) $runner "$built/tests/stress/stress_ring" "--$3" --seconds 600 "$seed" ;;
	unit) CMOCKA_MESSAGE_OUTPUT=TAP "$built/tests/unit/unit_$3" ;;
	fault) LEAT_SEED=$seed "$python" "$work/tree/tests/fault/$3" ;;
	esac >"$work/said" 2>&1
}

# mutation NAME WHAT FILE SED BUILD TEST PATTERN: without WHAT, which SED takes out of FILE, the
# TEST in the BUILD must fail and say PATTERN.
mutation() {
	case $wanted in *" $1 "* | '  ') ;; *) return ;; esac
	tried=$((tried + 1))
	cp "$root/$3" "$work/original"
	sed "$4" "$work/original" >"$work/tree/$3"
	began=$(date +%s)
	if cmp -s "$work/original" "$work/tree/$3"; then
		verdict='NOT FOUND any more in the source'
	elif ! build "$5"; then
		verdict="DOES NOT COMPILE: $(grep -m 1 error "$work/said")"
	else
		began=$(date +%s)
		# shellcheck disable=SC2086 # two words
		if test_of "$5" $6; then
			verdict='SURVIVES'
		else
			verdict=$(grep -E -m 1 -o "$7" "$work/said") ||
				verdict="FAILS OTHERWISE: $(tail -n 3 "$work/said" | tr '\n' ' ')"
		fi
	fi
	took=$(($(date +%s) - began))
	case $verdict in 'NOT FOUND'* | DOES* | SURVIVES | FAILS*) missed=$((missed + 1)) ;; esac
	echo "| \`$1\` | $2 | $6, $5 | $took s | $verdict |"
	cp "$work/original" "$work/tree/$3"
}

echo "seed $seed"
echo
echo '| name | without | found by | after | which says |'
echo '| --- | --- | --- | --- | --- |'
mkdir "$work/tree"
(cd "$root" && git -c safe.directory="$root" ls-files -z | xargs -0 cp --parents -t "$work/tree") || exit 1
export TSAN_OPTIONS=halt_on_error=1
for kind in plain tsan; do
	sanitizer=none
	[ $kind = plain ] || sanitizer=thread
	if ! meson setup "$work/$kind" "$work/tree" -Dbuildtype=debugoptimized \
		-Db_sanitize=$sanitizer -Dman=disabled >"$work/said" 2>&1 || ! build $kind; then
		cat "$work/said"
		exit 1
	fi
done

claim=src/ring/claim.c
relaxed='__ATOMIC_RELAXED'
cas="#define cas(p, e, d) __atomic_compare_exchange_n(p, e, d, 0, $relaxed, $relaxed)"
mutation order-commit 'the order of the CAS of a commit' $claim \
	"s/^#include \"atomic.h\"/&\n$cas/;/^int ring_commit/,/^}/s/atomic_cas_seq/cas/" \
	tsan 'stress threads' 'ThreadSanitizer: data race'
mutation order-advance 'the order of the exchange by source and sink' $claim \
	"/^void ring_advance/,/^}/s/atomic_exchange_seq(\(.*\));/__atomic_exchange_n(\1, $relaxed);/" \
	tsan 'stress threads' 'ThreadSanitizer: data race'
mutation order-look 'the order of a look at a state' $claim \
	'/^static uint64_t ring_state/,/^}/s/atomic_load_seq/atomic_load_relaxed/' \
	tsan 'stress threads' 'ThreadSanitizer: data race'
mutation order-wake 'sequential consistency of change and look at the wait word' $claim \
	'/^void ring_advance/,/^}/s/(void)atomic_exchange_seq/atomic_store_release/' \
	plain 'stress threads' 'no progress.*'
mutation wake-commit 'the wake-up after a commit' $claim \
	'/^int ring_commit/,/^}/s/ring_wake_at(region, position + 1);//' \
	plain 'stress threads' 'no progress.*'
mutation wake-rouse 'waking after a death whatever the bit says' $claim \
	'/^void ring_wake_all/,/^}/s/wakeup_force/wakeup_wake/' \
	plain 'stress processes' 'no progress.*'
mutation wake-death 'the wake-up after each death' src/crew/crash_recovery.c \
	's/ring_wake_all(&crew->region);//' \
	plain 'unit recovery' '^not ok.*'
mutation take-back 'the take-back of a claim' $claim \
	'/^bool ring_take_back/,/^}/s/atomic_cas_seq(&\(.*\), &held, .*))/(\1 == held))/' \
	plain 'stress processes' 'position .*|worker .*'
mutation recovery 'the take-back of a dead host'"'"'s claim' src/crew/crash_recovery.c \
	's/crash_recovery_take_back(&crew->region, claim.*, death);/(void)\&crash_recovery_take_back, (void)death;/' \
	plain 'fault soak.py' 'no output'
[ $tried -gt 0 ] || echo 'no such mutation' >&2
[ $missed = 0 ] && [ $tried -gt 0 ]
