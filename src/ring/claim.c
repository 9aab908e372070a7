/* SPDX-License-Identifier: Apache-2.0 */
#include "claim.h"

#include "atomic.h"
#include "memory_budget.h"
#include "slot.h"
#include "slot_state.h"
#include "wakeup.h"

#include <errno.h>

static uint64_t ring_place(const struct region *region, uint64_t seq, unsigned position)
{
	return slot_state_place(seq / region->header->n_slots, position);
}

/* Where a slot goes from a place: the next position, or the next lap after the sink. */
static uint64_t ring_next_place(const struct region *region, uint64_t place)
{
	unsigned position = place & 0xff;
	return position == region_sink(region) ? (place - position) + (1 << 8) : place + 1;
}

static uint64_t ring_state(const struct region *region, uint64_t seq)
{
	/*
	 * pairs with: ring_commit_quietly, ring_advance_quietly: what was written before.
	 * Sequentially consistent for the second look of a waiter, see wakeup.h.
	 */
	return atomic_load_seq(&slot_at(region, seq)->state);
}

void ring_wake_at(const struct region *region, unsigned position)
{
	wakeup_wake(region_wait_word(region, region_group_at(region, position)));
}

bool ring_is_ready(const struct region *region, uint64_t seq, unsigned position)
{
	return ring_state(region, seq) == slot_state_ready(ring_place(region, seq, position));
}

bool ring_passed(const struct region *region, uint64_t seq, unsigned position)
{
	return slot_state_is_after(
	    slot_state_place_of(ring_state(region, seq)), ring_place(region, seq, position));
}

void ring_advance_quietly(const struct region *region, uint64_t seq, unsigned position)
{
	uint64_t to = ring_next_place(region, ring_place(region, seq, position));
	/* pairs with: ring_state: the batch, or that the slot is free */
	(void)atomic_exchange_seq(&slot_at(region, seq)->state, slot_state_ready(to));
}

void ring_advance(const struct region *region, uint64_t seq, unsigned position)
{
	ring_advance_quietly(region, seq, position);
	ring_wake_at(region, position == region_sink(region) ? 0 : position + 1);
}

/* A batch that was too large once is not begun again before it may be of any size. */
static bool ring_may_begin(const struct region *region, uint64_t seq)
{
	/* relaxed: written before the take-back that made the batch READY; see ring_give_back */
	return !atomic_load_relaxed(&slot_at(region, seq)->waits_for_oldest) ||
	       memory_budget_await(region, seq);
}

void ring_retire(const struct region *region, uint64_t seq)
{
	uint32_t n = region->header->n_slots;
	/*
	 * A batch so far ahead is in flight: it will be retired, and by then none can be so far
	 * ahead of it. Out of order it may be retired already, which tells nothing.
	 */
	uint64_t ahead = seq + n - n / 4;
	bool most = n >= 4 && ring_passed(region, ahead, 0) &&
		    !ring_passed(region, ahead, region_sink(region));
	ring_advance_quietly(region, seq, region_sink(region));
	if (!most)
		ring_wake_at(region, 0);
}

/* The one step that makes a batch a worker's. Fails when another was quicker. */
bool ring_claim_this(const struct region *region, uint64_t seq, unsigned position, unsigned worker)
{
	uint64_t place = ring_place(region, seq, position);
	uint64_t ready = slot_state_ready(place);
	/* pairs with: ring_commit_quietly, ring_advance_quietly, ring_take_back */
	return atomic_cas_seq(&slot_at(region, seq)->state, &ready, slot_state_busy(place, worker));
}

/*
 * Moves a hint on. One that is far behind, as of a worker that replaces another, is not
 * moved batch by batch: a slot is filled when all of the lap before the last are gone.
 */
static void ring_skip_passed(const struct region *region, unsigned position, uint64_t *next)
{
	while (ring_passed(region, *next, position)) {
		int64_t laps = slot_state_laps_after(slot_state_place_of(ring_state(region, *next)),
		    ring_place(region, *next, position));
		*next += laps > 2 ? (uint64_t)(laps - 2) * region->header->n_slots : 1;
	}
}

bool ring_claim(const struct region *region, unsigned position, unsigned worker, uint64_t *next,
    uint64_t *ret_seq)
{
	do {
		ring_skip_passed(region, position, next);
		if (!ring_is_ready(region, *next, position) || !ring_may_begin(region, *next))
			return false;
	} while (!ring_claim_this(region, *next, position, worker));
	*ret_seq = *next;
	return true;
}

bool ring_claim_any(const struct region *region, unsigned position, unsigned worker, uint64_t *next,
    uint64_t *ret_seq)
{
	ring_skip_passed(region, position, next);
	/* The source fills in order: behind a slot that is not filled yet there is nothing. */
	for (uint64_t seq = *next; seq < *next + region->header->n_slots; seq++) {
		if (!ring_passed(region, seq, 0))
			return false;
		if (ring_is_ready(region, seq, position) && ring_may_begin(region, seq) &&
		    ring_claim_this(region, seq, position, worker)) {
			*ret_seq = seq;
			return true;
		}
	}
	return false;
}

bool ring_all_claimed(const struct region *region, unsigned position, uint64_t next)
{
	uint64_t end = ring_end_seq(region);
	if (end == END_UNKNOWN)
		return false;
	for (uint64_t seq = next; seq < end; seq++) {
		uint64_t state = ring_state(region, seq);
		uint64_t place = ring_place(region, seq, position);
		bool claimed = slot_state_place_of(state) == place && slot_state_is_busy(state);
		if (!claimed && !slot_state_is_after(slot_state_place_of(state), place))
			return false;
	}
	return true;
}

int ring_commit_quietly(
    const struct region *region, uint64_t seq, unsigned position, unsigned worker)
{
	uint64_t place = ring_place(region, seq, position);
	uint64_t held = slot_state_busy(place, worker);
	/* pairs with: ring_state: the stage's output and history */
	if (!atomic_cas_seq(&slot_at(region, seq)->state, &held,
		slot_state_ready(ring_next_place(region, place))))
		return -ESTALE;
	return 0;
}

int ring_commit(const struct region *region, uint64_t seq, unsigned position, unsigned worker)
{
	int r = ring_commit_quietly(region, seq, position, worker);
	if (r < 0)
		return r;
	ring_wake_at(region, position + 1);
	/* The batch after it may be claimed here now, by another: this worker may park. */
	ring_wake_at(region, position);
	return 0;
}

bool ring_take_back(const struct region *region, uint64_t seq, unsigned position, unsigned worker)
{
	uint64_t place = ring_place(region, seq, position);
	uint64_t held = slot_state_busy(place, worker);
	/* pairs with: ring_claim_this: the next worker finds the input as it was */
	if (!atomic_cas_seq(&slot_at(region, seq)->state, &held, slot_state_ready(place)))
		return false;
	ring_wake_at(region, position);
	return true;
}

void ring_give_back(const struct region *region, uint64_t seq, unsigned position, unsigned worker)
{
	slot_give_back(region, seq, slot_output(position));
	/* relaxed: as in ring_may_begin */
	atomic_store_relaxed(&slot_at(region, seq)->waits_for_oldest, 1);
	(void)ring_take_back(region, seq, position, worker);
}

bool ring_held(
    const struct region *region, unsigned worker, uint64_t *ret_seq, unsigned *ret_position)
{
	uint32_t slot = 0;
	return ring_held_from(region, worker, &slot, ret_seq, ret_position);
}

bool ring_held_from(const struct region *region, unsigned worker, uint32_t *slot, uint64_t *ret_seq,
    unsigned *ret_position)
{
	while (*slot < region->header->n_slots) {
		uint32_t i = (*slot)++;
		uint64_t state = ring_state(region, i);
		if (!slot_state_is_busy(state) || slot_state_worker(state) != worker)
			continue;
		uint64_t place = slot_state_place_of(state);
		/* Only stages are claimed; but this is what a dead worker has left. */
		if ((place & 0xff) == 0 || (place & 0xff) >= region_sink(region))
			continue;
		*ret_seq = (place >> 8) * region->header->n_slots + i;
		*ret_position = place & 0xff;
		return true;
	}
	return false;
}

unsigned ring_present(const struct region *region, unsigned group)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < region->header->n_slots; i++) {
		unsigned position = slot_state_place_of(ring_state(region, i)) & 0xff;
		n += region_group_at(region, position) == group;
	}
	return n;
}

void ring_wake_all(const struct region *region)
{
	for (unsigned group = 0; group < region->header->n_groups; group++) {
		wakeup_force(region_wait_word(region, group));
		wakeup_force(region_park_word(region, group));
	}
}

void ring_end(const struct region *region, uint64_t end)
{
	/* pairs with: ring_end_seq */
	(void)atomic_exchange_seq(&region->header->end_seq, end);
	ring_wake_all(region);
}

uint64_t ring_end_seq(const struct region *region)
{
	/* pairs with: ring_end; sequentially consistent for a waiter's second look */
	return atomic_load_seq(&region->header->end_seq);
}

void ring_stop(const struct region *region)
{
	/* pairs with: ring_stopped */
	(void)atomic_exchange_seq(&region->header->stop, 1);
	ring_wake_all(region);
}

bool ring_stopped(const struct region *region)
{
	/* pairs with: ring_stop; sequentially consistent for a waiter's second look */
	return atomic_load_seq(&region->header->stop);
}
