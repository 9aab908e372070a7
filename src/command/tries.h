/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The retry count: how often a record or a batch may end the process that works on it before
 * it is blamed and fails. A crash points at the record; SIGKILL comes from outside, from a
 * person or the out-of-memory killer, and is counted apart.
 */
#ifndef TRIES_H
#define TRIES_H

#include <signal.h>
#include <stdbool.h>

#define TRIES_CRASHED 3u
#define TRIES_KILLED  25u

/* The deaths of processes over one record or batch. */
struct tries {
	unsigned crashed;
	unsigned killed;
};

/* signal: what ended the process. */
static inline void tries_count(struct tries *tries, int signal)
{
	if (signal == SIGKILL)
		tries->killed++;
	else
		tries->crashed++;
}

static inline bool tries_are_over(const struct tries *tries)
{
	return tries->crashed >= TRIES_CRASHED || tries->killed >= TRIES_KILLED;
}

#endif
