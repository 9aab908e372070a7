/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment that is a ring: stages that take records, their workers, a source and a sink.
 *
 * Threads: the thread that runs the run.
 */
#ifndef SEGMENT_RING_H
#define SEGMENT_RING_H

#include "segment.h"

/* base is copied; its type need not be set. NULL: out of memory. */
struct segment *segment_ring_new(const struct segment *base);

#endif
