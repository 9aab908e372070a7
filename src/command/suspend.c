/* SPDX-License-Identifier: Apache-2.0 */
#include "suspend.h"

#include "clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

int suspend_init(struct suspend *suspend, unsigned n_workers)
{
	*suspend = (struct suspend){.n_workers = n_workers};
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

void suspend_fini(struct suspend *suspend)
{
	if (!suspend->groups)
		return;
	pthread_rwlock_destroy(&suspend->lock);
	free(suspend->groups);
	suspend->groups = NULL;
}

void suspend_hold(struct suspend *suspend)
{
	pthread_rwlock_rdlock(&suspend->lock);
}

void suspend_release(struct suspend *suspend)
{
	pthread_rwlock_unlock(&suspend->lock);
}

void suspend_note(struct suspend *suspend, unsigned worker, pid_t group)
{
	suspend->groups[worker] = group;
}

uint64_t suspend_clock_ns(struct suspend *suspend)
{
	suspend_hold(suspend);
	uint64_t now = clock_wall_ns() - suspend->stopped_ns;
	suspend_release(suspend);
	return now;
}

static void suspend_signal(const struct suspend *suspend, int signal)
{
	for (unsigned i = 0; i < suspend->n_workers; i++) {
		if (suspend->groups[i] > 0)
			(void)kill(-suspend->groups[i], signal);
	}
}

void suspend_stop(struct suspend *suspend)
{
	pthread_rwlock_wrlock(&suspend->lock);
	suspend->since_ns = clock_wall_ns();
	suspend_signal(suspend, SIGSTOP);
}

void suspend_continue(struct suspend *suspend)
{
	suspend_signal(suspend, SIGCONT);
	suspend->stopped_ns += clock_wall_ns() - suspend->since_ns;
	pthread_rwlock_unlock(&suspend->lock);
}
