/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one process of a command writes to stderr, with a tag before each line that tells
 * which record it is about.
 *
 * Threads: the worker's.
 */
#ifndef STDERR_PREFIX_H
#define STDERR_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

#define STDERR_PREFIX_TAG_MAX 160

struct stderr_prefix {
	int from; /* our end of the process's stderr; -1: none, or at its end */
	int to;	  /* borrowed */
	int stop; /* borrowed: readable once nobody waits for the lines any more */
	char tag[STDERR_PREFIX_TAG_MAX];
	char *data;
	size_t size;
};

/*
 * to: where the lines go, and never blocks. Returns 0 with the end that the process writes
 * to, which the caller closes, or -errno.
 */
int stderr_prefix_open(
    struct stderr_prefix *tagger, const char *tag, int to, int stop, int *ret_write_fd);

/* Passes on the whole lines of what is there. */
void stderr_prefix_pump(struct stderr_prefix *tagger);

/* Passes on all that is there: the process has ended. */
void stderr_prefix_close(struct stderr_prefix *tagger);

#endif
