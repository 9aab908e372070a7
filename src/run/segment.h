/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment: a part of the chain between two descriptors, seen from the run. There are two
 * kinds, a ring for stages that take records (segment_ring.h), and a program, which takes
 * bytes (segment_process.h). Segments are joined by kernel pipes.
 *
 * Threads: the thread that runs the run.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "orphan_guard.h"
#include "stage_spec.h"
#include "stderr_relay.h"

#include <leat/error.h>
#include <leat/pipeline.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct segment;

/* What a kind of segment does. Entries marked (optional) may be NULL. */
struct segment_type {
	/* Starts a ring's workers (optional). Returns 0 or -errno. */
	int (*prepare)(struct segment *segment, int bell, struct leat_error *reterr);
	/* Returns 1 when it can be started, 0 when not yet, -errno when never (optional). */
	int (*ready)(struct segment *segment, struct leat_error *reterr);
	/* Lets records in. Returns 0 or -errno with the error written. */
	int (*start)(struct segment *segment, int bell, struct leat_error *reterr);
	/* Whether it has copies of its descriptors once it is started. */
	bool copies_descriptors;
	/* The descriptors whose becoming ready may change it; at most SEGMENT_POLL_MAX. */
	int (*poll)(const struct segment *segment, struct pollfd *items);
	/* When it must be looked at, whatever happens; 0: never (optional). */
	uint64_t (*deadline_ns)(const struct segment *segment);
	/* Looks at what has happened; sets done and error. */
	void (*step)(struct segment *segment);
	/* Stops its processes, or lets them go on: SIGSTOP, SIGCONT. */
	void (*signal)(struct segment *segment, int signal);
	/* Whether it would not notice by itself that its reader leaves (optional: no). */
	bool (*needs_reader_watch)(const struct segment *segment);
	/* Its reader has gone: ends it, if more input may still come (optional). */
	void (*reader_left)(struct segment *segment);
	/* Asks for an early end in which everything that was read is finished. */
	void (*interrupt)(struct segment *segment);
	/* Its output is of no use any more. With force, it ends at once. */
	void (*abort)(struct segment *segment, bool force);
	/* Whether nobody reads its input descriptor any more (optional: yes). */
	bool (*leave_input)(struct segment *segment);
	/* How many of its source's records are out (optional). */
	uint64_t (*records_done)(const struct segment *segment);
	/* The run is over, and nobody has pressed Ctrl-C: a SIGINT is a failure (optional). */
	void (*judge_sigint)(struct segment *segment);
	/* As segment_end. */
	int (*end)(struct segment *segment);
};

/* Descriptors that one segment has polled, at most. */
#define SEGMENT_POLL_MAX 512

/* What every segment has; the first member of each kind's own structure. */
struct segment {
	const struct segment_type *type;
	const struct leat_options *options;
	const struct stage_spec *specs; /* of its stages */
	uint32_t first;			/* number of its first stage in the chain */
	uint32_t n_stages;
	bool is_last; /* of the chain: what it writes is the run's output */
	/* A user's program, which may have read more than it has finished when it is ended. */
	bool is_command;
	bool at_terminal; /* it shares the run's process group, as in a shell's pipe */
	int in_fd;	  /* borrowed */
	int out_fd;
	bool started;
	bool done;
	bool aborted;	  /* because of a failure elsewhere: how it ends says nothing */
	bool interrupted; /* it was asked to end early */
	struct leat_error error;
	struct stderr_relay_outlet *outlet; /* borrowed: our stderr */
	const struct orphan_guard *guard;
};

/* The number of one of its stages in the trace. */
uint32_t segment_trace_stage(const struct segment *segment, uint32_t stage);

/* One line for a person. */
void segment_notice(const struct segment *segment, const char *text);

/* These ask its type, and do what goes for every kind. */
int segment_prepare(struct segment *segment, int bell, struct leat_error *reterr);
int segment_ready(struct segment *segment, struct leat_error *reterr);
int segment_poll(const struct segment *segment, struct pollfd *items);
uint64_t segment_deadline_ns(const struct segment *segment);
void segment_step(struct segment *segment);
bool segment_needs_reader_watch(const struct segment *segment);
void segment_interrupt(struct segment *segment);
void segment_abort(struct segment *segment, bool force);
bool segment_leave_input(struct segment *segment);

/*
 * Ends whatever is left, by force if need be. Returns 0, or -ETIMEDOUT when a thread is
 * stuck: then the segment's memory must stay. Otherwise it is the caller's to free().
 */
int segment_end(struct segment *segment);

#endif
