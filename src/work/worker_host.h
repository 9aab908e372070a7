/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host: a process that workers of a ring live in, or the run's own process in
 * that role. The public side is <leat/worker.h>.
 */
#ifndef WORKER_HOST_H
#define WORKER_HOST_H

#include "clock.h"
#include "launcher.h"
#include "region.h"

#include <leat/worker.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct leat_host {
	struct region region;
	bool owns_region; /* mapped by leat_host_open */
	int bell;	  /* rung when a worker's state in the region changes */
	unsigned number;
	struct launcher_context *commands; /* NULL: none of its workers has one */
	pthread_rwlock_t running;	   /* see worker_host_enter */
	uint64_t turns_end_ns;		   /* when the last turn that was given ends */
};

/*
 * The run's own process as a host: it shares the run's mapping and bell, and speaks with
 * commands.
 */
void worker_host_join(struct leat_host *host, const struct region *region, int bell,
    unsigned number, struct launcher_context *commands);

/* How long one waits to be alone, and others for one that is. */
#define HOST_TURN_NS CLOCK_NS_PER_S

/*
 * Around each batch that a worker runs. One that a process has died with runs alone, so that
 * of several workers in a process the batch that ends it becomes known. As a stage may never
 * return, nobody waits longer than it takes to give each such batch a turn: then it begins
 * beside the others, but a turn after the one before of its kind. Returns whether it waits no
 * more because it was let in, which worker_host_leave wants to know.
 */
bool worker_host_enter(struct leat_host *host, bool alone);
void worker_host_leave(struct leat_host *host, bool entered);

/* The index in the region of the host's nth worker, or -ENOENT. */
int worker_host_worker(const struct leat_host *host, unsigned nth);

#endif
