/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink: a thread that retires slots in the order in which they were filled, unless
 * nobody wants that, writes what they hold, and hands their history to the observers. The
 * source's thread does it in its stead where it carries a batch through by itself.
 */
#ifndef SINK_H
#define SINK_H

#include "observer.h"
#include "region.h"

#include <leat/error.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define SINK_OBSERVERS_MAX 6

struct sink {
	const struct region *region;
	int fd;
	const char *name;	 /* for messages */
	const char *source_name; /* likewise */
	int bell;		 /* rung at the end */
	bool unordered;
	struct observer observers[SINK_OBSERVERS_MAX];
	unsigned n_observers;
	pthread_t thread;
	pthread_mutex_t lock; /* of whoever retires: all below but `done` */
	uint64_t seq;	      /* of the oldest batch that is not out */
	bool ended;	      /* nothing is written any more */
	/* The result; read it after sink_done() is true. */
	uint64_t n_source_records; /* of the batches that were retired */
	uint64_t n_records;
	uint64_t n_bytes;
	struct leat_error error; /* status LEAT_OK: the whole input went through */
	uint32_t done;
};

/* Set fd, names, bell and observers first. Returns 0 or -errno. */
int sink_start(struct sink *sink, const struct region *region);

/*
 * Writes and retires what is ready, by the calling thread; where the sink's own is at it,
 * that sees what is ready.
 */
void sink_assist(struct sink *sink);

/* The same, but waits for the sink's own thread where that is at it. */
void sink_catch_up(struct sink *sink);

/* Whether it has ended, after the last batch, a failing one or a failing write. */
bool sink_done(const struct sink *sink);

/* Writes the error of a reader that has left. */
void sink_describe_reader_gone(const struct sink *sink, struct leat_error *reterr);

/* As source_finish: a full pipe that nobody reads may hold the thread. */
int sink_finish(struct sink *sink);

#endif
