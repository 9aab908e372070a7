/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window: how many slots may be in flight, and how many records each must hold at least,
 * where a stage may answer only after it has been sent many records. Other rings have no
 * such bounds.
 *
 * Threads: any, unless a function says otherwise.
 */
#ifndef IN_FLIGHT_H
#define IN_FLIGHT_H

#include "region.h"

#include <stdbool.h>
#include <stdint.h>

/* Records in a batch, at most. */
#define IN_FLIGHT_RECORDS_MAX 65536u

/*
 * For a ring with a stage that may answer only after it has been sent many records, as a
 * program that buffers its output does: bounds the batches in flight to so many slots, since
 * one record in each of all slots might never be enough for it.
 */
void in_flight_bound(const struct region *region, uint32_t slots);

/* The sink's, after it has retired a slot: the starved stage has answered. */
void in_flight_reset(const struct region *region);

/*
 * Such a stage is starved of input: opens more slots, with many more records in each. A
 * stage that is starved again after it has answered gets more slots from the start.
 */
void in_flight_widen(const struct region *region);

/* The source's: whether it has records that there is no room for. */
void in_flight_set_source_blocked(const struct region *region, bool held);

/* Whether the source can give no more now: it is blocked, or its input has ended. */
bool in_flight_is_source_blocked(const struct region *region);

/* Whether another slot may be filled, with so many in flight. */
bool in_flight_may_fill(const struct region *region, uint64_t in_flight);

/* How many records the next batch should wait for; 0: for none. */
uint32_t in_flight_least_records(const struct region *region);

#endif
