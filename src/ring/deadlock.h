/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlock detection, for stages that buffer. A program behind `line:` may answer only after
 * it has been sent many records, more than the ring may have room for.
 *
 * A worker is starved of input when its program has read all it was sent and answers only
 * when it is sent more. That is no deadlock while something still moves: the oldest batch in
 * flight, which frees its slot when it is retired, or a batch on its way to the worker that
 * holds the oldest one. Where neither moves, and the source has no room, nothing ever will.
 *
 * Threads: any. The answers are hints: what they rest on may change at any time.
 */
#ifndef DEADLOCK_H
#define DEADLOCK_H

#include "region.h"

#include <stdbool.h>

enum deadlock {
	DEADLOCK_NONE,
	DEADLOCK_CAN_FLUSH,  /* its program may be given an end of input, so that it flushes */
	DEADLOCK_NEEDS_INPUT /* that would lose the program's state: it needs more input */
};

/* The worker reports whether it is starved of input. */
void deadlock_report(const struct region *region, unsigned worker, enum deadlock how);

/* Whether nothing in the ring can move, the source aside. */
bool deadlock_is_reached(const struct region *region);

/*
 * The same, and this worker, which is starved, is the one to give way: it holds the oldest
 * batch; or the worker that does can only be helped by more input, and this one holds what
 * could become that input.
 */
bool deadlock_must_yield(const struct region *region, unsigned position, unsigned worker);

#endif
