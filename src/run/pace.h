/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pace: how many records go into a batch. One while a stage is slow, so that
 * nothing waits behind it; thousands while all are fast, so that handing a batch on
 * costs nothing by the record. It is decided from the retired slots' histories; so is
 * how much memory they will take.
 *
 * Threads: pace_retire is an observer's, called by the sink's thread; pace_records is
 * for the source's.
 */
#ifndef PACE_H
#define PACE_H

#include "observer.h"

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

/*
 * For a ring with a stage that may answer only when it has been told much, as a program
 * does that keeps its output in a buffer: what is in flight is bounded to so many slots, as
 * one record in each of all slots might never be enough for it.
 */
void pace_bound_window(const struct region *region, uint32_t slots);

/*
 * Such a stage waits for more: more slots, and many more records in each. A stage that
 * waits again when it has answered gets more slots from the start.
 */
void pace_hurry(const struct region *region);

/* The source's: it has records that there is no room for, or has found room. */
void pace_hold_back(const struct region *region, bool held);

/* Whether it is of no use to hurry the source: it is held back, or has nothing more. */
bool pace_is_held_back(const struct region *region);

/* Whether another slot may be filled, with so many in flight. */
bool pace_may_fill(const struct region *region, uint64_t in_flight);

/* How many records the next batch should wait for; 0: for none. */
uint32_t pace_least_records(const struct region *region);

/* How long all stages together will work on so many records, going by the last batch. */
uint64_t pace_expected_ns(const struct region *region, uint32_t n_records);

#define PACE_RECORDS_MAX 65536u

#endif
