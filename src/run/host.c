/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

void host_join(struct leat_host *host, const struct region *region, int bell, unsigned number,
    struct launcher_context *commands)
{
	*host = (struct leat_host){
	    .region = *region,
	    .bell = bell,
	    .number = number,
	    .commands = commands,
	    .running = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP,
	};
}

void host_enter(struct leat_host *host, bool alone)
{
	/* They fail only for mistakes of ours. */
	if (alone)
		pthread_rwlock_wrlock(&host->running);
	else
		pthread_rwlock_rdlock(&host->running);
}

void host_leave(struct leat_host *host)
{
	pthread_rwlock_unlock(&host->running);
}

int leat_host_open(int region_fd, int bell_fd, unsigned number, struct leat_host **ret_host)
{
	struct leat_host *host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	host_join(host, &host->region, bell_fd, number, NULL);
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

int host_worker(const struct leat_host *host, unsigned nth)
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
	while (host_worker(host, n) >= 0)
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
