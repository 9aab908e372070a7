/* SPDX-License-Identifier: Apache-2.0 */
#include "batch_sizing.h"

#include "atomic.h"
#include "in_flight.h"

/*
 * How long the slowest stage should work on a batch. Handing it on costs some
 * microseconds, waking somebody up more; this makes that about a hundredth.
 */
#define BATCH_SIZING_TARGET_NS (500u * 1000)

/* How many times what is expected of a batch must fit into an area. */
#define BATCH_SIZING_MARGIN 8

void batch_sizing_init(struct batch_sizing *pace, const struct region *region, uint32_t most)
{
	*pace = (struct batch_sizing){.header = region->header, .most = most};
	/* relaxed: as batch_sizing_retire; the source starts later */
	atomic_store_relaxed(&pace->header->batch_records, 1);
	/* Until a batch has been through, each may take for ever. */
	atomic_store_relaxed(&pace->header->record_ns, UINT32_MAX);
}

/* The wall time that the slowest stage took for each record of the input, and all together. */
static uint64_t batch_sizing_slowest_ns(
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
static uint64_t batch_sizing_record_peak(
    const struct region_header *header, const struct slot *slot)
{
	uint64_t now = slot->peak / slot->n_source_records;
	/* relaxed: only the sink's thread writes it */
	uint64_t before = atomic_load_relaxed(&header->record_peak);
	before -= (before + 15) / 16;
	return now > before ? now : before;
}

void batch_sizing_retire(void *context, const struct region *region, const struct slot *slot)
{
	struct batch_sizing *pace = context;
	in_flight_reset(region);
	if (slot->n_source_records == 0)
		return;
	uint64_t all_ns;
	uint64_t wanted = BATCH_SIZING_TARGET_NS / batch_sizing_slowest_ns(region, slot, &all_ns);
	/* Small batches say little about large ones: their cost is that of being batches. */
	uint64_t next = 2 * (uint64_t)slot->n_source_records;
	if (wanted < next)
		next = wanted;
	if (next > pace->most)
		next = pace->most;
	/* Room for records that grow to some times the size of the largest of late. */
	uint64_t peak = batch_sizing_record_peak(pace->header, slot);
	if (peak > 0 && next > pace->header->area_capacity / BATCH_SIZING_MARGIN / peak)
		next = pace->header->area_capacity / BATCH_SIZING_MARGIN / peak;
	/* relaxed: the source needs no more than some recent value */
	atomic_store_relaxed(&pace->header->batch_records, next > 0 ? (uint32_t)next : 1);
	atomic_store_relaxed(
	    &pace->header->record_ns, all_ns < UINT32_MAX ? (uint32_t)all_ns : UINT32_MAX);
	atomic_store_relaxed(&pace->header->record_peak, peak);
}

uint64_t batch_sizing_expected_bytes(const struct region *region, uint32_t n_records, uint64_t size)
{
	const struct region_header *header = region->header;
	/* relaxed: see batch_sizing_retire */
	uint64_t taken = n_records * atomic_load_relaxed(&header->record_peak);
	/* At least what goes in comes out. */
	if (taken < 2 * size)
		taken = 2 * size;
	return taken > 2 * header->area_keep ? taken - 2 * header->area_keep : 0;
}

uint32_t batch_sizing_records(const struct region *region)
{
	/* relaxed: see batch_sizing_retire */
	return atomic_load_relaxed(&region->header->batch_records);
}

uint64_t batch_sizing_expected_ns(const struct region *region, uint32_t n_records)
{
	/* relaxed: see batch_sizing_retire */
	return (uint64_t)n_records * atomic_load_relaxed(&region->header->record_ns);
}
