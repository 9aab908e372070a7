/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring's wake-ups as a descriptor: a thread sleeps on the ring's wait word and writes to an
 * eventfd whenever it is woken, so that a worker can poll() its process and the ring at once.
 *
 * No wake-up is missed: the eventfd is written after wakeup_prepare. Whoever clears it before
 * looking at the ring sees everything that came before, and what comes later sets it again.
 *
 * Threads: the worker's, but for the scout's own.
 */
#ifndef RING_EVENTFD_H
#define RING_EVENTFD_H

#include "region.h"

#include <pthread.h>
#include <stdint.h>

struct ring_eventfd {
	const struct region *region;
	uint32_t *word;
	uint32_t leave;
	int bell; /* poll it, and hush it before looking at the ring */
	pthread_t thread;
};

/* Returns 0 or -errno. */
int ring_eventfd_start(struct ring_eventfd *scout, const struct region *region, unsigned group);

/* Joins it. */
void ring_eventfd_end(struct ring_eventfd *scout);

#endif
