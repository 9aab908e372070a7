/* SPDX-License-Identifier: Apache-2.0 */
#include "thread.h"

#include "clock.h"

#include <time.h>

/* ThreadSanitizer makes everything slow, and tells of a thread that was not joined. */
#ifdef __SANITIZE_THREAD__
#define THREAD_GRACE_NS (3 * CLOCK_NS_PER_S)
#else
#define THREAD_GRACE_NS (CLOCK_NS_PER_S / 5)
#endif

int thread_join(pthread_t thread)
{
	/*
	 * By the wall clock, as ThreadSanitizer does not know pthread_clockjoin_np and
	 * would take every join for a race. A clock that is set in this moment makes a
	 * thread look stuck, or gives it longer.
	 */
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	uint64_t ns = (uint64_t)deadline.tv_nsec + THREAD_GRACE_NS;
	deadline.tv_sec += (time_t)(ns / CLOCK_NS_PER_S);
	deadline.tv_nsec = (long)(ns % CLOCK_NS_PER_S);
	return -pthread_timedjoin_np(thread, NULL, &deadline);
}
