/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include "atomic.h"
#include "claim.h"
#include "notify.h"

/*
 * How long the slowest stage should work on a batch. Handing it on costs some
 * microseconds, waking somebody up more; this makes that about a hundredth.
 */
#define PACE_TARGET_NS (500u * 1000)

/* How many times what is expected of a batch must fit into an area. */
#define PACE_MARGIN 8

/* So many times as many records should a batch hold for each look that finds its process waiting.
 */
#define PACE_HURRY 8u

/*
 * And such a part of all slots may be in flight besides: so few that in the last of them the
 * batches are as large as can be.
 */
#define PACE_HURRY_SLOTS 16u

void pace_init(struct pace *pace, const struct region *region, uint32_t most)
{
	*pace = (struct pace){.header = region->header, .most = most};
	/* relaxed: as pace_retire; the source starts later */
	atomic_store_relaxed(&pace->header->batch_records, 1);
	/* Until a batch has been through, each may take for ever. */
	atomic_store_relaxed(&pace->header->record_ns, UINT32_MAX);
}

/* The wall time that the slowest stage took for each record of the input, and all together. */
static uint64_t pace_slowest_ns(
    const struct region *region, const struct slot *slot, uint64_t *ret_all_ns)
{
	uint64_t slowest = 1;
	uint64_t all = 0;
	for (unsigned i = 0; i < region->header->n_stages; i++) {
		const struct slot_history *call = &slot->history[i];
		if (call->records_in == 0)
			continue;
		uint64_t each = (call->end_ns - call->start_ns) / slot->n_source_records;
		all += each;
		if (each > slowest)
			slowest = each;
	}
	*ret_all_ns = all;
	return slowest;
}

/*
 * A record's share of the memory that its batch took: the largest of late. What was large
 * once is half forgotten after some ten batches.
 */
static uint64_t pace_record_peak(const struct region_header *header, const struct slot *slot)
{
	uint64_t now = slot->peak / slot->n_source_records;
	/* relaxed: only the sink's thread writes it */
	uint64_t before = atomic_load_relaxed(&header->record_peak);
	before -= (before + 15) / 16;
	return now > before ? now : before;
}

/* Something came out: whoever waited for more has answered. */
static void pace_calm(struct region_header *header)
{
	/* relaxed: the source is told of a slot that is free, and looks again */
	atomic_store_relaxed(&header->window_slots, atomic_load_relaxed(&header->window_base));
	atomic_store_relaxed(&header->least_records, 0);
}

void pace_retire(void *context, const struct region *region, const struct slot *slot)
{
	struct pace *pace = context;
	pace_calm(pace->header);
	if (slot->n_source_records == 0)
		return;
	uint64_t all_ns;
	uint64_t wanted = PACE_TARGET_NS / pace_slowest_ns(region, slot, &all_ns);
	/* Small batches say little about large ones: their cost is that of being batches. */
	uint64_t next = 2 * (uint64_t)slot->n_source_records;
	if (wanted < next)
		next = wanted;
	if (next > pace->most)
		next = pace->most;
	/* Room for records that grow to some times the size of the largest of late. */
	uint64_t peak = pace_record_peak(pace->header, slot);
	if (peak > 0 && next > pace->header->area_capacity / PACE_MARGIN / peak)
		next = pace->header->area_capacity / PACE_MARGIN / peak;
	/* relaxed: the source needs no more than some recent value */
	atomic_store_relaxed(&pace->header->batch_records, next > 0 ? (uint32_t)next : 1);
	atomic_store_relaxed(
	    &pace->header->record_ns, all_ns < UINT32_MAX ? (uint32_t)all_ns : UINT32_MAX);
	atomic_store_relaxed(&pace->header->record_peak, peak);
}

uint64_t pace_expect(const struct region *region, uint32_t n_records, uint64_t size)
{
	const struct region_header *header = region->header;
	/* relaxed: see pace_retire */
	uint64_t taken = n_records * atomic_load_relaxed(&header->record_peak);
	/* At least what goes in comes out. */
	if (taken < 2 * size)
		taken = 2 * size;
	return taken > 2 * header->area_keep ? taken - 2 * header->area_keep : 0;
}

uint32_t pace_records(const struct region *region)
{
	/* relaxed: see pace_retire */
	return atomic_load_relaxed(&region->header->batch_records);
}

void pace_bound_window(const struct region *region, uint32_t slots)
{
	/* relaxed: the source and the workers that hurry it start later */
	atomic_store_relaxed(&region->header->window_base, slots);
	atomic_store_relaxed(&region->header->window_slots, slots);
}

void pace_hurry(const struct region *region)
{
	struct region_header *header = region->header;
	/* relaxed: as pace_retire, which may be at it too: either's values will do */
	uint32_t least = PACE_HURRY * atomic_load_relaxed(&header->least_records);
	uint32_t base = atomic_load_relaxed(&header->window_base);
	uint32_t window =
	    atomic_load_relaxed(&header->window_slots) + 1 + header->n_slots / PACE_HURRY_SLOTS;
	if (least == 0) {
		least = PACE_HURRY;
		/* So many were too few, and would be again; half stay free for larger batches. */
		if (2 * base <= header->n_slots / 2)
			atomic_store_relaxed(&header->window_base, 2 * base);
	}
	if (least > PACE_RECORDS_MAX)
		least = PACE_RECORDS_MAX;
	if (window > header->n_slots)
		window = header->n_slots;
	if (atomic_load_relaxed(&header->batch_records) < least)
		atomic_store_relaxed(&header->batch_records, least);
	atomic_store_relaxed(&header->least_records, least);
	/* Until it has looked again. */
	pace_hold_back(region, false);
	/* pairs with: pace_may_fill: a source that waits sees it at its second look */
	(void)atomic_exchange_seq(&header->window_slots, window);
	notify_wake(region_wait_word(region, GROUP_SOURCE));
}

void pace_hold_back(const struct region *region, bool held)
{
	/* relaxed: who asks does so again and again */
	atomic_store_relaxed(&region->header->held_back, held);
}

bool pace_is_held_back(const struct region *region)
{
	/* relaxed: see pace_hold_back */
	return atomic_load_relaxed(&region->header->held_back) ||
	       ring_end_seq(region) != END_UNKNOWN;
}

bool pace_may_fill(const struct region *region, uint64_t in_flight)
{
	/* pairs with: pace_hurry; sequentially consistent for a waiter's second look */
	uint32_t slots = atomic_load_seq(&region->header->window_slots);
	return slots == 0 || in_flight < slots;
}

uint32_t pace_least_records(const struct region *region)
{
	/* relaxed: see pace_calm */
	return atomic_load_relaxed(&region->header->least_records);
}

uint64_t pace_expected_ns(const struct region *region, uint32_t n_records)
{
	/* relaxed: see pace_retire */
	return (uint64_t)n_records * atomic_load_relaxed(&region->header->record_ns);
}
