/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Job control for the commands that take records. They are in process groups of their own, so
 * Ctrl-Z does not reach them: the run stops and continues them, and the time in between counts
 * towards no time limit.
 *
 * Threads: workers register their processes and ask for the time; the run's thread stops and
 * continues.
 */
#ifndef SUSPEND_H
#define SUSPEND_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

struct suspend {
	pthread_rwlock_t lock; /* for writing: while stopped */
	uint64_t since_ns;
	uint64_t stopped_ns; /* altogether */
	unsigned n_workers;
	pid_t *groups; /* of each worker's process; 0: none */
};

/* Returns 0 or -ENOMEM. */
int suspend_init(struct suspend *suspend, unsigned n_workers);
void suspend_fini(struct suspend *suspend);

/* Nobody is stopped between the two: a worker starts a process, and notes it. */
void suspend_hold(struct suspend *suspend);
void suspend_release(struct suspend *suspend);

/* Held: the process group that works for a worker; 0: none any more. Its number is not free yet. */
void suspend_note(struct suspend *suspend, unsigned worker, pid_t group);

/* The time as clock_wall_ns gives it, less that while stopped; waits while it is so. */
uint64_t suspend_clock_ns(struct suspend *suspend);

void suspend_stop(struct suspend *suspend);
void suspend_continue(struct suspend *suspend);

#endif
