/* SPDX-License-Identifier: Apache-2.0 */
#include "thread.h"

#include "clock.h"

#include <time.h>

#define THREAD_GRACE_NS (CLOCK_NS_PER_S / 5)

int thread_join(pthread_t thread)
{
	uint64_t until = clock_wall_ns() + THREAD_GRACE_NS;
	struct timespec deadline = {
	    .tv_sec = (time_t)(until / CLOCK_NS_PER_S),
	    .tv_nsec = (long)(until % CLOCK_NS_PER_S),
	};
	return -pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &deadline);
}
