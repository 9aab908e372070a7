/* SPDX-License-Identifier: Apache-2.0 */
#include "deadlock.h"

#include "atomic.h"
#include "claim.h"
#include "memory_budget.h"
#include "slot.h"
#include "slot_state.h"

#include <stdint.h>

static uint64_t deadlock_state(const struct region *region, uint64_t seq)
{
	/* relaxed: a hint */
	return atomic_load_relaxed(&slot_at(region, seq)->state);
}

static unsigned deadlock_position(uint64_t state)
{
	return slot_state_place_of(state) & 0xff;
}

/* How the worker is that holds a batch. */
static enum deadlock deadlock_how(const struct region *region, uint64_t state)
{
	/* relaxed: see deadlock_report */
	return (enum deadlock)atomic_load_relaxed(
	    &region_worker(region, slot_state_worker(state))->input_starved);
}

void deadlock_report(const struct region *region, unsigned worker, enum deadlock how)
{
	/* relaxed: who asks does so again and again */
	atomic_store_relaxed(&region_worker(region, worker)->input_starved, (uint32_t)how);
}

/* Whether a position has but one worker, which may take batches in their order only. */
static bool deadlock_is_lone(const struct region *region, unsigned position)
{
	unsigned group = region_group_at(region, position);
	unsigned n = 0;
	for (unsigned i = 0; i < region->header->n_workers; i++)
		n += region_worker(region, i)->group == group;
	return n == 1;
}

/* Whether all batches before this one have been taken at the position. */
static bool deadlock_is_next(const struct region *region, uint64_t seq, unsigned position)
{
	for (uint64_t i = memory_budget_oldest(region); i < seq; i++) {
		uint64_t state = deadlock_state(region, i);
		unsigned at = deadlock_position(state);
		if (at < position || (at == position && !slot_state_is_busy(state)))
			return false;
	}
	return true;
}

/* Whether a batch that is not the oldest will get to the position, and be taken there. */
static bool deadlock_has_input_coming(const struct region *region, uint64_t seq, unsigned position)
{
	uint64_t state = deadlock_state(region, seq);
	unsigned at = deadlock_position(state);
	if (at > position)
		return false;
	if (slot_state_is_busy(state))
		return at < position && deadlock_how(region, state) == DEADLOCK_NONE;
	/* relaxed: a hint; it waits to be the oldest */
	if (atomic_load_relaxed(&slot_at(region, seq)->waits_for_oldest))
		return false;
	return !deadlock_is_lone(region, at) || deadlock_is_next(region, seq, at);
}

/* If the ring stands still, returns true with the oldest batch's state. */
static bool deadlock_find(const struct region *region, uint64_t *ret_state)
{
	uint64_t oldest = memory_budget_oldest(region);
	uint64_t state = deadlock_state(region, oldest);
	if (!ring_passed(region, oldest, 0) || !slot_state_is_busy(state) ||
	    deadlock_how(region, state) == DEADLOCK_NONE)
		return false;
	/* The source fills in order. */
	uint64_t end = oldest + region->header->n_slots;
	for (uint64_t seq = oldest + 1; seq < end && ring_passed(region, seq, 0); seq++) {
		if (deadlock_has_input_coming(region, seq, deadlock_position(state)))
			return false;
	}
	*ret_state = state;
	return true;
}

bool deadlock_is_reached(const struct region *region)
{
	uint64_t state;
	return deadlock_find(region, &state);
}

bool deadlock_must_yield(const struct region *region, unsigned position, unsigned worker)
{
	uint64_t state;
	if (!deadlock_find(region, &state))
		return false;
	return slot_state_worker(state) == worker ||
	       (deadlock_how(region, state) == DEADLOCK_NEEDS_INPUT &&
		   position < deadlock_position(state));
}
