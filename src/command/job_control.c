/* SPDX-License-Identifier: Apache-2.0 */
#include "job_control.h"

#include "clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

int job_control_init(struct job_control *suspend, unsigned n_workers)
{
	*suspend = (struct job_control){.n_workers = n_workers};
	suspend->groups = calloc(n_workers, sizeof(*suspend->groups));
	if (!suspend->groups)
		return -ENOMEM;
	/* Workers that start process upon process must not keep a Ctrl-Z waiting. */
	pthread_rwlockattr_t attributes;
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&suspend->lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	return 0;
}

void job_control_fini(struct job_control *suspend)
{
	if (!suspend->groups)
		return;
	pthread_rwlock_destroy(&suspend->lock);
	free(suspend->groups);
	suspend->groups = NULL;
}

void job_control_hold(struct job_control *suspend)
{
	pthread_rwlock_rdlock(&suspend->lock);
}

void job_control_release(struct job_control *suspend)
{
	pthread_rwlock_unlock(&suspend->lock);
}

void job_control_set_group(struct job_control *suspend, unsigned worker, pid_t group)
{
	suspend->groups[worker] = group;
}

uint64_t job_control_clock_ns(struct job_control *suspend)
{
	job_control_hold(suspend);
	uint64_t now = clock_wall_ns() - suspend->stopped_ns;
	job_control_release(suspend);
	return now;
}

static void job_control_signal(const struct job_control *suspend, int signal)
{
	for (unsigned i = 0; i < suspend->n_workers; i++) {
		if (suspend->groups[i] > 0)
			(void)kill(-suspend->groups[i], signal);
	}
}

void job_control_stop(struct job_control *suspend)
{
	pthread_rwlock_wrlock(&suspend->lock);
	suspend->since_ns = clock_wall_ns();
	job_control_signal(suspend, SIGSTOP);
}

void job_control_continue(struct job_control *suspend)
{
	job_control_signal(suspend, SIGCONT);
	suspend->stopped_ns += clock_wall_ns() - suspend->since_ns;
	pthread_rwlock_unlock(&suspend->lock);
}
