/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scout sleeps on a ring's wait word and rings a bell whenever it is woken, so that a
 * worker who waits in poll() for a process hears of batches too.
 *
 * No wake-up is missed: the bell is rung after notify_prepare, so whoever looks at the ring
 * after he has hushed the bell sees what came before, and what comes later rings again.
 *
 * Threads: the worker's, but for the scout's own.
 */
#ifndef SCOUT_H
#define SCOUT_H

#include "region.h"

#include <pthread.h>
#include <stdint.h>

struct scout {
	const struct region *region;
	uint32_t *word;
	uint32_t leave;
	int bell; /* poll it, and hush it before looking at the ring */
	pthread_t thread;
};

/* Returns 0 or -errno. */
int scout_start(struct scout *scout, const struct region *region, unsigned group);

/* Joins it. */
void scout_end(struct scout *scout);

#endif
