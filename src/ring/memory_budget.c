/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_budget.h"

#include "atomic.h"
#include "slot.h"
#include "wakeup.h"

#include <unistd.h>

static uint64_t memory_budget_charge(const struct region *region, uint64_t high)
{
	uint64_t keep = region->header->area_keep;
	return high > keep ? high - keep : 0;
}

/* What the young have together. Each index is a slot; the oldest's is left out. */
static uint64_t memory_budget_sum(const struct region *region, uint64_t oldest)
{
	uint32_t mask = region->header->n_slots - 1;
	/* pairs with: memory_budget_reserve_source */
	uint64_t sum = atomic_load_seq(&region->header->source_buffer);
	for (uint32_t i = 0; i <= mask; i++) {
		struct slot *slot = slot_at(region, i);
		if (i == (oldest & mask))
			continue;
		/* pairs with: memory_budget_reserve: of two who charge, one sees both */
		for (unsigned area = 0; area < 2; area++)
			sum += memory_budget_charge(region, atomic_load_seq(&slot->high[area]));
	}
	return sum;
}

static bool memory_budget_fits(const struct region *region)
{
	for (;;) {
		uint64_t oldest = memory_budget_oldest(region);
		uint64_t sum = memory_budget_sum(region, oldest);
		/* If it moved on meanwhile, a younger batch may be in the slot left out. */
		if (memory_budget_oldest(region) == oldest)
			return sum <= region->header->young;
	}
}

bool memory_budget_reserve(const struct region *region, uint64_t seq, unsigned area, uint64_t size)
{
	uint64_t *high = &slot_at(region, seq)->high[area];
	/* relaxed: only the holder of the slot writes it */
	uint64_t before = atomic_load_relaxed(high);
	if (size <= region->header->area_keep || size <= before)
		return true;
	if (size > region->header->area_capacity)
		return false;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	/* pairs with: memory_budget_sum */
	(void)atomic_exchange_seq(high, (size + page - 1) / page * page);
	if (memory_budget_is_oldest(region, seq) || memory_budget_fits(region))
		return true;
	/* relaxed: nothing of it was touched; who sums still sees too much, at the worst */
	atomic_store_relaxed(high, before);
	return false;
}

uint64_t memory_budget_room(const struct region *region, uint64_t seq, unsigned area)
{
	/* relaxed: as in memory_budget_reserve */
	uint64_t high = atomic_load_relaxed(&slot_at(region, seq)->high[area]);
	return high > region->header->area_keep ? high : region->header->area_keep;
}

bool memory_budget_reserve_source(const struct region *region, uint64_t size)
{
	uint64_t *buffer = &region->header->source_buffer;
	/* pairs with: memory_budget_sum */
	uint64_t before = atomic_exchange_seq(buffer, size);
	if (size <= before || memory_budget_fits(region))
		return true;
	/* relaxed: as in memory_budget_reserve */
	atomic_store_relaxed(buffer, before);
	return false;
}

uint64_t memory_budget_oldest(const struct region *region)
{
	/* pairs with: memory_budget_move_on; sequentially consistent for a waiter's last look */
	return atomic_load_seq(&region->header->oldest);
}

bool memory_budget_is_oldest(const struct region *region, uint64_t seq)
{
	return memory_budget_oldest(region) == seq;
}

bool memory_budget_await(const struct region *region, uint64_t seq)
{
	if (memory_budget_is_oldest(region, seq))
		return true;
	/* pairs with: memory_budget_move_on: it sees this, or the next look what it has moved to */
	(void)atomic_exchange_seq(&region->header->awaited, 1);
	return memory_budget_is_oldest(region, seq);
}

bool memory_budget_reserve_or_await(
    const struct region *region, uint64_t seq, unsigned area, uint64_t size)
{
	return memory_budget_reserve(region, seq, area, size) ||
	       (memory_budget_await(region, seq) && memory_budget_reserve(region, seq, area, size));
}

void memory_budget_move_on(const struct region *region, uint64_t oldest)
{
	/* pairs with: memory_budget_oldest */
	(void)atomic_exchange_seq(&region->header->oldest, oldest);
	/* pairs with: memory_budget_await; who dies after it costs one needless round of wake-ups
	 */
	if (!atomic_load_seq(&region->header->awaited))
		return;
	(void)atomic_exchange_seq(&region->header->awaited, 0);
	for (unsigned group = GROUP_WORKERS; group < region->header->n_groups; group++)
		wakeup_wake(region_wait_word(region, group));
}
