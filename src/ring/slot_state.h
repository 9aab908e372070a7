/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state word of a slot: where the slot is, and who holds it.
 *
 *	 63        32 31    24 23    16 15         0
 *	+------------+--------+--------+------------+
 *	|    lap     |position|  busy  |   worker   |
 *	+------------+--------+--------+------------+
 *
 * Positions: 0 is the source, 1 … n are the stages, n + 1 is the sink. A slot is
 * READY for the position it names, or BUSY there, held by a worker. It moves to the
 * next position only by a commit there, and from the sink to position 0 of the next
 * lap. So lap and position together, its place, never go back, and everything that
 * has to be known about order follows from comparing places. The lap's number runs
 * over in the end, but two places that are compared are less than half of it apart.
 *
 * Sequence number: the batches of a run are numbered 0, 1, 2 …; batch `seq` is in
 * slot seq % n_slots during lap seq / n_slots.
 */
#ifndef SLOT_STATE_H
#define SLOT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define STATE_BUSY (1ull << 16)

/* Lap and position, in the order in which a slot goes through them. */
static inline uint64_t slot_state_place(uint64_t lap, unsigned position)
{
	return lap << 8 | position;
}

static inline uint64_t slot_state_place_of(uint64_t state)
{
	return state >> 24;
}

static inline uint64_t slot_state_ready(uint64_t place)
{
	return place << 24;
}

static inline uint64_t slot_state_busy(uint64_t place, unsigned worker)
{
	return place << 24 | STATE_BUSY | worker;
}

/* Whether a place comes after another. */
static inline bool slot_state_is_after(uint64_t place, uint64_t other)
{
	/* As a difference of their 40 bits. */
	return (int64_t)((place - other) << 24) > 0;
}

/* How many whole laps a place comes after another, negative before it. */
static inline int64_t slot_state_laps_after(uint64_t place, uint64_t other)
{
	return (int64_t)((place - other) << 24) >> 32;
}

static inline bool slot_state_is_busy(uint64_t state)
{
	return state & STATE_BUSY;
}

static inline unsigned slot_state_worker(uint64_t state)
{
	return state & 0xffff;
}

#endif
