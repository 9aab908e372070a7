/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The retry count: how often a record or a batch may end the process that works on it before
 * it is blamed and fails. A crash points at the record; SIGKILL comes from outside, from a
 * person or the out-of-memory killer, and is counted apart.
 */
#ifndef RETRY_COUNT_H
#define RETRY_COUNT_H

#include <signal.h>
#include <stdbool.h>

#define RETRY_COUNT_CRASHED 3u
#define RETRY_COUNT_KILLED  25u

/* The deaths of processes over one record or batch. */
struct retry_count {
	unsigned crashed;
	unsigned killed;
};

/* signal: what ended the process. */
static inline void retry_count_count(struct retry_count *tries, int signal)
{
	if (signal == SIGKILL)
		tries->killed++;
	else
		tries->crashed++;
}

static inline bool retry_count_is_spent(const struct retry_count *tries)
{
	return tries->crashed >= RETRY_COUNT_CRASHED || tries->killed >= RETRY_COUNT_KILLED;
}

#endif
