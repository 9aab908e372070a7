/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory the batches may take, whatever the input and the stages do.
 *
 * A ring's memory is shared out once, in its header:
 *
 *	memory = every area's area_keep + young + 2 * (area_capacity - area_keep)
 *
 * Up to area_keep an area is free of charge, and stays when its batch is retired: in the
 * usual case nothing is counted. What goes beyond is charged before it is touched. The
 * oldest batch in flight, the sink's next, may always fill both its areas, so it gets to
 * the sink, and then the next one is the oldest. All others and the source's buffer have
 * `young` together.
 *
 * There is no counter that a dying worker could leave wrong: what an area is charged is
 * in its slot, `high`, and the sum is taken when it is asked for. Who charges writes its
 * own charge down first and sums then, so of two at the same time one sees both.
 *
 * Who is refused waits to be the oldest: memory_budget_await, and wakeup.h.
 *
 * Threads: any, for what they hold; memory_budget_move_on is the sink's,
 *memory_budget_reserve_source the source's.
 */
#ifndef MEMORY_BUDGET_H
#define MEMORY_BUDGET_H

#include "region.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Charges an area of a batch that the caller holds, so that its first `size` bytes may be
 * written. Returns false, with nothing changed, when that is too much: for now, or for
 * ever if size is over area_capacity.
 */
bool memory_budget_reserve(const struct region *region, uint64_t seq, unsigned area, uint64_t size);

/* How many bytes of an area may be written as it is. */
uint64_t memory_budget_room(const struct region *region, uint64_t seq, unsigned area);

/* Charges the source's buffer, all of it, instead of what it was before. */
bool memory_budget_reserve_source(const struct region *region, uint64_t size);

/* Whether everything before this batch is retired. It stays so until the batch is. */
bool memory_budget_is_oldest(const struct region *region, uint64_t seq);
uint64_t memory_budget_oldest(const struct region *region);

/*
 * The same, and if not, whoever moves on will wake every group of workers: for the last
 * look between wakeup_prepare and wakeup_sleep.
 */
bool memory_budget_await(const struct region *region, uint64_t seq);

/* memory_budget_reserve, or memory_budget_await and, if it is the oldest by now, once more. */
bool memory_budget_reserve_or_await(
    const struct region *region, uint64_t seq, unsigned area, uint64_t size);

/*
 * Says which batch is the oldest now. The ones before have given their areas back, and
 * their slots are not free for the source yet.
 */
void memory_budget_move_on(const struct region *region, uint64_t oldest);

#endif
