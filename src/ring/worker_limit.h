/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number of active workers of a group, which autoscaling sets. Workers whose rank in the
 * group is below this limit claim batches; the others are parked on a futex of their own, so
 * that no commit wakes them. The run may change the limit at any time; until it does, all
 * workers are active.
 *
 *	parking worker                      who changes the limit
 *	key = wakeup_prepare(park)            store the limit
 *	look at the limit and stop again      wakeup_wake(park)
 *	wakeup_sleep(park, key)
 *
 * So no change is missed (see wakeup.h), and ring_wake_all, ring_end and ring_stop rouse the
 * parked too. Nor does one that parks take a wake-up of the group's away: each wakes
 * all who sleep, a worker below the limit among them, and what a worker's last commit
 * made claimable ring_commit has told the group. The first worker never parks. That one
 * claims a batch more after the limit was lowered does no harm: claims keep the order.
 * tests/model has it, as PARK.
 */
#ifndef WORKER_LIMIT_H
#define WORKER_LIMIT_H

#include "region.h"

#include <stdbool.h>

/* n: at least 1. Threads: one at a time, of the run's process. */
void worker_limit_set(const struct region *region, unsigned group, uint32_t n);
uint32_t worker_limit_of(const struct region *region, unsigned group);

/* Whether a worker of this rank in the group may claim. */
bool worker_limit_allows(const struct region *region, unsigned group, unsigned rank);

/* Sleeps for as long as it may not, or less, unless the ring is stopped. */
void worker_limit_park(const struct region *region, unsigned group, unsigned rank);

#endif
