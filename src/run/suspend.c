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
	pthread_mutex_init(&suspend->lock, NULL);
	return 0;
}

void suspend_fini(struct suspend *suspend)
{
	if (!suspend->groups)
		return;
	pthread_mutex_destroy(&suspend->lock);
	free(suspend->groups);
	suspend->groups = NULL;
}

void suspend_note(struct suspend *suspend, unsigned worker, pid_t group)
{
	pthread_mutex_lock(&suspend->lock);
	suspend->groups[worker] = group;
	pthread_mutex_unlock(&suspend->lock);
}

uint64_t suspend_clock_ns(struct suspend *suspend)
{
	pthread_mutex_lock(&suspend->lock);
	uint64_t now = clock_wall_ns() - suspend->stopped_ns;
	pthread_mutex_unlock(&suspend->lock);
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
	pthread_mutex_lock(&suspend->lock);
	suspend->since_ns = clock_wall_ns();
	suspend_signal(suspend, SIGSTOP);
}

void suspend_continue(struct suspend *suspend)
{
	suspend_signal(suspend, SIGCONT);
	suspend->stopped_ns += clock_wall_ns() - suspend->since_ns;
	pthread_mutex_unlock(&suspend->lock);
}
