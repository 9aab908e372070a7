/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source: a thread that reads a descriptor and fills slots. What has arrived
 * goes on at once; a full window stops it.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "fast_path.h"
#include "region.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct source {
	const struct region *region;
	int fd;
	int bell; /* rung to interrupt a wait for input */
	struct fast_path *shortcut;
	uint32_t stop;
	pthread_t thread;
	char *buffer;
	size_t capacity;
	size_t start; /* of the bytes that are not in a slot yet */
	size_t end;
	size_t searched; /* bytes after start in which no record ends */
	bool waits;	 /* records are there, and wait for others */
	uint64_t seq;
	bool ended;	     /* the input has */
	uint64_t record;     /* number of the next one */
	uint64_t held_bytes; /* in the slots from `oldest` on */
	uint64_t expected;   /* what these may come to take; see batch_sizing_expected_bytes */
	uint64_t oldest;
};

/* Returns 0 or -errno. fd and shortcut are borrowed. */
int source_start(
    struct source *source, const struct region *region, int fd, struct fast_path *shortcut);

/* Reads no more; what was read goes on. May be called more than once, from any thread. */
void source_stop(struct source *source);

/*
 * Stops and joins the thread. Accepts one that was never started. Returns 0, or
 * -ETIMEDOUT when it is stuck in a system call: then its memory must stay.
 */
int source_finish(struct source *source);

#endif
