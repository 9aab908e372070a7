/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process of a batch: or each: command from its start to its end: it is fed, and what
 * it gives is collected.
 *
 * Threads: the worker's.
 */
#ifndef ONESHOT_H
#define ONESHOT_H

#include "launcher.h"

struct oneshot {
	struct launcher *command;
	struct launcher_start start; /* its descriptors are the pump's to set */
	const char *input;	     /* for its stdin; NULL: an empty one */
	size_t input_size;
	char *output;
	size_t capacity;
	size_t most; /* that a batch can hold, for the message */
	/*
	 * Called where the output is full. Returns 0 with more capacity, -ENOSPC when there
	 * never is, or -EAGAIN when there may be later: then the process is ended.
	 */
	int (*grow)(struct oneshot *pump);
	void *context; /* the caller's */
	/* What came of it. */
	size_t output_size;
	uint64_t cpu_ns;
	int signal;    /* it was killed by, and not by us; 0: it was not */
	bool later;    /* for want of memory it was ended and is to be run again */
	char why[256]; /* empty: it ended well */
};

/*
 * Returns 0 when the process has ended, well or not; -ECANCELED when the run is over, and
 * the process has been killed.
 */
int oneshot_run(struct oneshot *pump);

#endif
