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

#endif
