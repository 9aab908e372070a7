/* SPDX-License-Identifier: Apache-2.0 */
/* The source, the sink and the workers of a round, as the product's do it. */
#ifndef ROLE_H
#define ROLE_H

#include "round.h"

#include <pthread.h>
#include <sys/types.h>

#define ROLES_MAX (ROUND_WORKERS_MAX + 2)

/* Neither a worker nor the sink: the source. */
struct role {
	struct round *round;
	bool is_worker;
	unsigned worker;
	bool is_sink;
	uint64_t random;
	pthread_t thread;
	pid_t pid; /* 0: it has ended */
};

/* Does its part until the ring's end or stop. */
void role_run(struct role *role);

#endif
