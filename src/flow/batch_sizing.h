/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch sizing: how many records go into a batch. One while a stage is slow, so that no
 * record waits behind another; thousands while all stages are fast, so that the cost of
 * handing a batch on is spread over many records. The size follows from the histories of
 * retired slots, and so does the memory that a batch is expected to need.
 *
 * Threads: batch_sizing_retire is an observer's, called by the sink's thread; batch_sizing_records
 * is for the source's.
 */
#ifndef BATCH_SIZING_H
#define BATCH_SIZING_H

#include "in_flight.h"
#include "observer.h"

#include <stdbool.h>

struct batch_sizing {
	struct region_header *header;
	uint32_t most; /* records in a batch, never more */
};

/* most: 1 where each record's own time is wanted. */
void batch_sizing_init(struct batch_sizing *pace, const struct region *region, uint32_t most);

/* An observer's `retire`; the context is a struct batch_sizing. */
void batch_sizing_retire(void *context, const struct region *region, const struct slot *slot);

/*
 * What a batch may come to take beyond what is free of charge (see ring/memory_budget.h), from
 * what records have taken lately.
 */
uint64_t batch_sizing_expected_bytes(
    const struct region *region, uint32_t n_records, uint64_t size);

/* How many records the next batch may hold. */
uint32_t batch_sizing_records(const struct region *region);

/* How long all stages together should take for so many records, judging by the last batch. */
uint64_t batch_sizing_expected_ns(const struct region *region, uint32_t n_records);

/* Records in a batch, at most. */
#define BATCH_SIZING_RECORDS_MAX IN_FLIGHT_RECORDS_MAX

#endif
