/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_host.h"

#include "atomic.h"
#include "clock.h"
#include "fd.h"
#include "forked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

void worker_host_join(struct leat_host *host, const struct region *region, int bell,
    unsigned number, struct launcher_context *commands)
{
	forked_watch();
	*host = (struct leat_host){
	    .region = *region,
	    .bell = bell,
	    .number = number,
	    .commands = commands,
	    .running = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP,
	};
}

/* The locks know only the clock that people set, which may make a wait shorter or longer. */
static struct timespec worker_host_deadline(uint64_t wall_ns)
{
	uint64_t now = clock_wall_ns();
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	uint64_t ns = (uint64_t)at.tv_nsec + (wall_ns > now ? wall_ns - now : 0);
	at.tv_sec += (time_t)(ns / CLOCK_NS_PER_S);
	at.tv_nsec = (long)(ns % CLOCK_NS_PER_S);
	return at;
}

/* Returns when it begins: then, or when the turns that were given before have ended. */
static uint64_t worker_host_take_turn(struct leat_host *host, uint64_t not_before)
{
	/* relaxed: a time, and the exchange looks again */
	uint64_t end = atomic_load_relaxed(&host->turns_end_ns);
	uint64_t begin;
	do {
		begin = end > not_before ? end : not_before;
		/* pairs with: itself */
	} while (!atomic_cas_seq(&host->turns_end_ns, &end, begin + HOST_TURN_NS));
	return begin;
}

static bool worker_host_enter_alone(struct leat_host *host)
{
	uint64_t now = clock_wall_ns();
	if (pthread_rwlock_trywrlock(&host->running) == 0) {
		(void)worker_host_take_turn(host, now);
		return true;
	}
	struct timespec deadline =
	    worker_host_deadline(worker_host_take_turn(host, now + HOST_TURN_NS));
	return pthread_rwlock_timedwrlock(&host->running, &deadline) == 0;
}

bool worker_host_enter(struct leat_host *host, bool alone)
{
	if (alone)
		return worker_host_enter_alone(host);
	if (pthread_rwlock_tryrdlock(&host->running) == 0)
		return true;
	/* relaxed: a time; one that is too old makes the wait too short, not the blame wrong */
	struct timespec deadline = worker_host_deadline(atomic_load_relaxed(&host->turns_end_ns));
	return pthread_rwlock_timedrdlock(&host->running, &deadline) == 0;
}

void worker_host_leave(struct leat_host *host, bool entered)
{
	if (entered)
		pthread_rwlock_unlock(&host->running);
}

int leat_host_open(int region_fd, int bell_fd, unsigned number, struct leat_host **ret_host)
{
	struct leat_host *host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	worker_host_join(host, &host->region, bell_fd, number, NULL);
	host->owns_region = true;
	/* They were inherited; a program that a stage starts must not inherit them too. */
	(void)fcntl(region_fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(bell_fd, F_SETFD, FD_CLOEXEC);
	int r = region_attach(region_fd, &host->region);
	if (r < 0) {
		free(host);
		return r;
	}
	*ret_host = host;
	return 0;
}

struct leat_host *leat_host_close(struct leat_host *host)
{
	if (host && host->owns_region) {
		region_free(&host->region);
		fd_close(host->bell);
		free(host);
	}
	return NULL;
}

int worker_host_worker(const struct leat_host *host, unsigned nth)
{
	for (unsigned i = 0; i < host->region.header->n_workers; i++) {
		if (region_worker(&host->region, i)->host == host->number && nth-- == 0)
			return (int)i;
	}
	return -ENOENT;
}

unsigned leat_host_workers(const struct leat_host *host)
{
	unsigned n = 0;
	while (worker_host_worker(host, n) >= 0)
		n++;
	return n;
}

enum leat_frame leat_host_frame(const struct leat_host *host)
{
	return (enum leat_frame)host->region.header->frame;
}

uint64_t leat_host_max_record(const struct leat_host *host)
{
	return host->region.header->max_record;
}

uint64_t leat_host_max_answer(const struct leat_host *host)
{
	return host->region.header->area_capacity;
}
