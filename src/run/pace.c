/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include "atomic.h"

/*
 * How long the slowest stage should work on a batch. Handing it on costs some
 * microseconds, waking somebody up more; this makes that about a hundredth.
 */
#define PACE_TARGET_NS (500u * 1000)

void pace_init(struct pace *pace, const struct region *region, uint32_t most)
{
	*pace = (struct pace){.header = region->header, .most = most};
	/* relaxed: as pace_retire; the source starts later */
	atomic_store_relaxed(&pace->header->batch_records, 1);
}

/* The wall time that the slowest stage took for each record of its input. */
static uint64_t pace_slowest_ns(const struct region *region, const struct slot *slot)
{
	uint64_t slowest = 1;
	for (unsigned i = 0; i < region->header->n_stages; i++) {
		const struct slot_history *call = &slot->history[i];
		if (call->records_in == 0)
			continue;
		uint64_t each = (call->end_ns - call->start_ns) / slot->n_source_records;
		if (each > slowest)
			slowest = each;
	}
	return slowest;
}

void pace_retire(void *context, const struct region *region, const struct slot *slot)
{
	struct pace *pace = context;
	if (slot->n_source_records == 0)
		return;
	uint64_t wanted = PACE_TARGET_NS / pace_slowest_ns(region, slot);
	/* Small batches say little about large ones: their cost is that of being batches. */
	uint64_t next = 2 * (uint64_t)slot->n_source_records;
	if (wanted < next)
		next = wanted;
	if (next > pace->most)
		next = pace->most;
	/* relaxed: the source needs no more than some recent value */
	atomic_store_relaxed(&pace->header->batch_records, next > 0 ? (uint32_t)next : 1);
}

uint32_t pace_records(const struct region *region)
{
	/* relaxed: see pace_retire */
	return atomic_load_relaxed(&region->header->batch_records);
}
