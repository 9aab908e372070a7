/* SPDX-License-Identifier: Apache-2.0 */
#include "in_flight.h"

#include "atomic.h"
#include "claim.h"
#include "wakeup.h"

/* So many times as many records should a batch hold for each look that finds its process waiting.
 */
#define IN_FLIGHT_WIDEN 8u

/*
 * And such a part of all slots may be in flight besides: so few that in the last of them the
 * batches are as large as can be.
 */
#define IN_FLIGHT_WIDEN_SLOTS 16u

/* Something came out: whoever waited for more has answered. */
void in_flight_reset(const struct region *region)
{
	struct region_header *header = region->header;
	/* relaxed: the source is told of a slot that is free, and looks again */
	atomic_store_relaxed(&header->window_slots, atomic_load_relaxed(&header->window_base));
	atomic_store_relaxed(&header->least_records, 0);
}

void in_flight_bound(const struct region *region, uint32_t slots)
{
	/* relaxed: the source and the workers that hurry it start later */
	atomic_store_relaxed(&region->header->window_base, slots);
	atomic_store_relaxed(&region->header->window_slots, slots);
}

void in_flight_widen(const struct region *region)
{
	struct region_header *header = region->header;
	/* relaxed: as in_flight_reset, which may be at it too: either's values will do */
	uint32_t least = IN_FLIGHT_WIDEN * atomic_load_relaxed(&header->least_records);
	uint32_t base = atomic_load_relaxed(&header->window_base);
	uint32_t window = atomic_load_relaxed(&header->window_slots) + 1 +
			  header->n_slots / IN_FLIGHT_WIDEN_SLOTS;
	if (least == 0) {
		least = IN_FLIGHT_WIDEN;
		/* So many were too few, and would be again; half stay free for larger batches. */
		if (2 * base <= header->n_slots / 2)
			atomic_store_relaxed(&header->window_base, 2 * base);
	}
	if (least > IN_FLIGHT_RECORDS_MAX)
		least = IN_FLIGHT_RECORDS_MAX;
	if (window > header->n_slots)
		window = header->n_slots;
	if (atomic_load_relaxed(&header->batch_records) < least)
		atomic_store_relaxed(&header->batch_records, least);
	atomic_store_relaxed(&header->least_records, least);
	/* Until it has looked again. */
	in_flight_set_source_blocked(region, false);
	/* pairs with: in_flight_may_fill: a source that waits sees it at its second look */
	(void)atomic_exchange_seq(&header->window_slots, window);
	wakeup_wake(region_wait_word(region, GROUP_SOURCE));
}

void in_flight_set_source_blocked(const struct region *region, bool held)
{
	/* relaxed: who asks does so again and again */
	atomic_store_relaxed(&region->header->held_back, held);
}

bool in_flight_is_source_blocked(const struct region *region)
{
	/* relaxed: see in_flight_set_source_blocked */
	return atomic_load_relaxed(&region->header->held_back) ||
	       ring_end_seq(region) != END_UNKNOWN;
}

bool in_flight_may_fill(const struct region *region, uint64_t in_flight)
{
	/* pairs with: in_flight_widen; sequentially consistent for a waiter's second look */
	uint32_t slots = atomic_load_seq(&region->header->window_slots);
	return slots == 0 || in_flight < slots;
}

uint32_t in_flight_least_records(const struct region *region)
{
	/* relaxed: see in_flight_reset */
	return atomic_load_relaxed(&region->header->least_records);
}
