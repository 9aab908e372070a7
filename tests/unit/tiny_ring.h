/* SPDX-License-Identifier: Apache-2.0 */
/* A ring for a test. A failure here ends the test. */
#ifndef TINY_RING_H
#define TINY_RING_H

#include "region.h"

#include <stdint.h>

/*
 * A ring of newline-framed records whose stages, each with a group and a worker of
 * its own, are called a, b, c …; nobody works there but the test. region_free() it.
 */
struct region tiny_ring(uint32_t n_slots, uint32_t n_stages);

/* The worker claims at a serial position, and gets the batch that is expected. */
void tiny_ring_claim(
    struct region *region, unsigned position, unsigned worker, uint64_t *next, uint64_t expected);

/* Claims and commits as a worker that has nothing else to do. */
void tiny_ring_work(struct region *region, uint64_t seq, unsigned position);

/* It is ready where it is said to be and nowhere else, and has passed what is before. */
void tiny_ring_is_ready_at(struct region *region, uint64_t seq, unsigned position);

#endif
