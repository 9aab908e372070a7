/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host: a process that workers of a ring live in, or the run's own process in
 * that role. The public side is <leat/worker.h>.
 */
#ifndef HOST_H
#define HOST_H

#include "launcher.h"
#include "region.h"

#include <leat/worker.h>

#include <pthread.h>
#include <stdbool.h>

struct leat_host {
	struct region region;
	bool owns_region; /* mapped by leat_host_open */
	int bell;	  /* rung when a worker's state in the region changes */
	unsigned number;
	struct launcher_context *commands; /* NULL: none of its workers has one */
	pthread_rwlock_t running;	   /* see host_enter */
};

/*
 * The run's own process as a host: it shares the run's mapping and bell, and speaks with
 * commands.
 */
void host_join(struct leat_host *host, const struct region *region, int bell, unsigned number,
    struct launcher_context *commands);

/*
 * Around each batch that a worker runs. One that a process has died with runs alone, so that
 * of several workers in a process the batch that ends it becomes known.
 */
void host_enter(struct leat_host *host, bool alone);
void host_leave(struct leat_host *host);

/* The index in the region of the host's nth worker, or -ENOENT. */
int host_worker(const struct leat_host *host, unsigned nth);

#endif
