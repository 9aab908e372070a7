/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one process of a command writes to stderr, with a tag before each line that tells
 * which record it is about.
 *
 * Threads: the worker's.
 */
#ifndef TAGGER_H
#define TAGGER_H

#include <stdbool.h>
#include <stddef.h>

#define TAGGER_TAG_MAX 160

struct tagger {
	int from; /* our end of the process's stderr; -1: none, or at its end */
	int to;	  /* borrowed */
	int stop; /* borrowed: readable once nobody waits for the lines any more */
	char tag[TAGGER_TAG_MAX];
	char *data;
	size_t size;
};

/*
 * to: where the lines go, and never blocks. Returns 0 with the end that the process writes
 * to, which the caller closes, or -errno.
 */
int tagger_open(struct tagger *tagger, const char *tag, int to, int stop, int *ret_write_fd);

/* Passes on the whole lines of what is there. */
void tagger_pump(struct tagger *tagger);

/* Passes on all that is there: the process has ended. */
void tagger_close(struct tagger *tagger);

#endif
