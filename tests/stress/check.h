/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of a batch at each position; what does not ends the round.
 *
 * It is checked with plain memory accesses: if the ring did not order them, that would
 * be the fault that ThreadSanitizer finds.
 */
#ifndef CHECK_H
#define CHECK_H

#include "round.h"

/*
 * A position has every batch once, a serial one in order; again only if a worker that was
 * killed had it.
 */
void check_once(struct round *round, unsigned position, uint64_t seq);

/* A serial stage is entered by one worker at a time. */
void check_enter(struct round *round, unsigned position, unsigned worker);
void check_leave(struct round *round, unsigned position);

/* A worker that was killed has left wherever it was. */
void check_killed(struct round *round, unsigned worker);

/* The slot is the batch's, and the worker's. */
void check_held(struct round *round, unsigned position, uint64_t seq, unsigned worker);

/* At the sink: the batch has been through every stage. */
void check_content(struct round *round, uint64_t seq);

/* The areas take no more than the ring may have. */
void check_memory(struct round *round);

#endif
