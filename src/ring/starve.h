/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring that stands still because somebody wants to be told more than it has room for.
 *
 * A worker starves when what it speaks with answers only when it has been told more. That
 * is no standstill while anything moves: the oldest batch in flight, which makes room for
 * others when it is out, or what is on its way to the one who holds it. Where neither does,
 * and the source has no room, nothing will ever.
 *
 * Threads: any. The answers are hints: what they tell of may change at any time.
 */
#ifndef STARVE_H
#define STARVE_H

#include "region.h"

#include <stdbool.h>

enum starve {
	STARVE_NO,
	STARVE_MAY_REST, /* what it speaks with may be told that there is no more, and answers */
	STARVE_ONLY_MORE /* that would lose its state: it must be told more */
};

/* The worker says how it is. */
void starve_say(const struct region *region, unsigned worker, enum starve how);

/* Whether the ring stands still, but for the source. */
bool starve_stands(const struct region *region);

/*
 * The same, and it is the turn of this worker at this position, which starves: it holds the
 * oldest batch, or who does can only be told more, and what may come to that one is here.
 */
bool starve_is_turn(const struct region *region, unsigned position, unsigned worker);

#endif
