/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch sizing: how many records go into a batch. One while a stage is slow, so that no
 * record waits behind another; thousands while all stages are fast, so that the cost of
 * handing a batch on is spread over many records. The size follows from the histories of
 * retired slots, and so does the memory that a batch is expected to need.
 *
 * Threads: pace_retire is an observer's, called by the sink's thread; pace_records is
 * for the source's.
 */
#ifndef PACE_H
#define PACE_H

#include "observer.h"
#include "window.h"

#include <stdbool.h>

struct pace {
	struct region_header *header;
	uint32_t most; /* records in a batch, never more */
};

/* most: 1 where each record's own time is wanted. */
void pace_init(struct pace *pace, const struct region *region, uint32_t most);

/* An observer's `retire`; the context is a struct pace. */
void pace_retire(void *context, const struct region *region, const struct slot *slot);

/*
 * What a batch may come to take beyond what is free of charge (see ring/budget.h), from
 * what records have taken lately.
 */
uint64_t pace_expect(const struct region *region, uint32_t n_records, uint64_t size);

/* How many records the next batch may hold. */
uint32_t pace_records(const struct region *region);

/* How long all stages together should take for so many records, judging by the last batch. */
uint64_t pace_expected_ns(const struct region *region, uint32_t n_records);

/* Records in a batch, at most. */
#define PACE_RECORDS_MAX WINDOW_RECORDS_MAX

#endif
