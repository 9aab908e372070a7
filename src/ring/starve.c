/* SPDX-License-Identifier: Apache-2.0 */
#include "starve.h"

#include "atomic.h"
#include "budget.h"
#include "claim.h"
#include "slot.h"
#include "state.h"

#include <stdint.h>

static uint64_t starve_state(const struct region *region, uint64_t seq)
{
	/* relaxed: a hint */
	return atomic_load_relaxed(&slot_at(region, seq)->state);
}

static unsigned starve_position(uint64_t state)
{
	return state_place_of(state) & 0xff;
}

/* How the worker is that holds a batch. */
static enum starve starve_how(const struct region *region, uint64_t state)
{
	/* relaxed: see starve_say */
	return (enum starve)atomic_load_relaxed(
	    &region_worker(region, state_worker(state))->starves);
}

void starve_say(const struct region *region, unsigned worker, enum starve how)
{
	/* relaxed: who asks does so again and again */
	atomic_store_relaxed(&region_worker(region, worker)->starves, (uint32_t)how);
}

/* Whether a position has but one worker, which may take batches in their order only. */
static bool starve_is_lone(const struct region *region, unsigned position)
{
	unsigned group = region_group_at(region, position);
	unsigned n = 0;
	for (unsigned i = 0; i < region->header->n_workers; i++)
		n += region_worker(region, i)->group == group;
	return n == 1;
}

/* Whether all batches before this one have been taken at the position. */
static bool starve_is_next(const struct region *region, uint64_t seq, unsigned position)
{
	for (uint64_t i = budget_oldest(region); i < seq; i++) {
		uint64_t state = starve_state(region, i);
		unsigned at = starve_position(state);
		if (at < position || (at == position && !state_is_busy(state)))
			return false;
	}
	return true;
}

/* Whether a batch that is not the oldest will get to the position, and be taken there. */
static bool starve_comes(const struct region *region, uint64_t seq, unsigned position)
{
	uint64_t state = starve_state(region, seq);
	unsigned at = starve_position(state);
	if (at > position)
		return false;
	if (state_is_busy(state))
		return at < position && starve_how(region, state) == STARVE_NO;
	/* relaxed: a hint; it waits to be the oldest */
	if (atomic_load_relaxed(&slot_at(region, seq)->is_patient))
		return false;
	return !starve_is_lone(region, at) || starve_is_next(region, seq, at);
}

/* If the ring stands still, returns true with the oldest batch's state. */
static bool starve_find(const struct region *region, uint64_t *ret_state)
{
	uint64_t oldest = budget_oldest(region);
	uint64_t state = starve_state(region, oldest);
	if (!ring_passed(region, oldest, 0) || !state_is_busy(state) ||
	    starve_how(region, state) == STARVE_NO)
		return false;
	/* The source fills in order. */
	uint64_t end = oldest + region->header->n_slots;
	for (uint64_t seq = oldest + 1; seq < end && ring_passed(region, seq, 0); seq++) {
		if (starve_comes(region, seq, starve_position(state)))
			return false;
	}
	*ret_state = state;
	return true;
}

bool starve_stands(const struct region *region)
{
	uint64_t state;
	return starve_find(region, &state);
}

bool starve_is_turn(const struct region *region, unsigned position, unsigned worker)
{
	uint64_t state;
	if (!starve_find(region, &state))
		return false;
	return state_worker(state) == worker ||
	       (starve_how(region, state) == STARVE_ONLY_MORE && position < starve_position(state));
}
