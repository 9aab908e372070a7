/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Job control for the commands that take records. They are in process groups of their own, so
 * Ctrl-Z does not reach them: the run stops and continues them, and the time in between counts
 * towards no time limit.
 *
 * Threads: workers register their processes and ask for the time; the run's thread stops and
 * continues.
 */
#ifndef JOB_CONTROL_H
#define JOB_CONTROL_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

struct job_control {
	pthread_rwlock_t lock; /* for writing: while stopped */
	uint64_t since_ns;
	uint64_t stopped_ns; /* altogether */
	unsigned n_workers;
	pid_t *groups; /* of each worker's process; 0: none */
};

/* Returns 0 or -ENOMEM. */
int job_control_init(struct job_control *suspend, unsigned n_workers);
void job_control_fini(struct job_control *suspend);

/* Nobody is stopped between the two: a worker starts a process, and notes it. */
void job_control_hold(struct job_control *suspend);
void job_control_release(struct job_control *suspend);

/* Held: the process group that works for a worker; 0: none any more. Its number is not free yet. */
void job_control_set_group(struct job_control *suspend, unsigned worker, pid_t group);

/* The time as clock_wall_ns gives it, less that while stopped; waits while it is so. */
uint64_t job_control_clock_ns(struct job_control *suspend);

void job_control_stop(struct job_control *suspend);
void job_control_continue(struct job_control *suspend);

#endif
