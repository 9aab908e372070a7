/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment: a part of the chain between two descriptors. Either a ring, for a run
 * of stages that take records, or one program (a command, or in shell mode any
 * stage), which takes bytes. Segments are joined by kernel pipes.
 *
 * Threads: the thread that runs the run.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "balance.h"
#include "crew.h"
#include "guard.h"
#include "pace.h"
#include "sink.h"
#include "source.h"
#include "time_log.h"
#include "trace_log.h"

struct segment {
	const struct leat_options *options;
	const struct spec *specs; /* of its stages */
	uint32_t first;		  /* number of its first stage in the chain */
	uint32_t n_stages;
	bool is_ring;
	bool is_last; /* of the chain: what it writes is the run's output */
	int in_fd;    /* borrowed */
	int out_fd;
	bool started;
	bool done;
	bool aborted; /* because of a failure elsewhere: how it ends says nothing */
	bool reader_left;
	bool interrupted; /* it was asked to end early */
	bool struck;	  /* a command at a terminal was ended by SIGINT, perhaps by Ctrl-C */
	struct leat_error error;
	struct relay_outlet *outlet; /* borrowed: our stderr */
	/* A ring. */
	struct crew *crew;
	uint64_t leave_by_ns; /* its work is done: when who has not left is ended; 0: not yet */
	struct source source;
	struct sink sink;
	struct pace pace;
	struct shortcut shortcut;
	struct balance balance;
	struct time_log time_log;
	struct trace_log trace_log;
	/* A program. */
	struct child child;
	struct relay relay; /* what it writes to stderr, unless it has our own */
	const struct guard *guard;
	char **argv;	  /* owned; NULL-ended */
	bool at_terminal; /* it shares the run's process group, as in a shell's pipe */
	bool is_ours;	  /* it is leat: it tells its own failures and writes its own trace */
};

/* The number of one of its stages in the trace. */
uint32_t segment_trace_stage(const struct segment *segment, uint32_t stage);

/* Starts a ring's crew; a program has nothing to prepare. Returns 0 or -errno. */
int segment_prepare(struct segment *segment, int bell, struct leat_error *reterr);

/* Returns 1 when it can be started, 0 when not yet, -errno when it never can. */
int segment_ready(struct segment *segment, struct leat_error *reterr);

/* Lets records in. Returns 0 or -errno with the error written. */
int segment_start(struct segment *segment, int bell, struct leat_error *reterr);

/* The descriptors whose becoming ready may change it; at most CREW_POLL_MAX. */
int segment_poll(const struct segment *segment, struct pollfd *items);

/* When it must be looked at, whatever happens; 0: never. */
uint64_t segment_deadline_ns(const struct segment *segment);

/* Looks at what has happened; sets done and error. */
void segment_step(struct segment *segment);

/* Stops its processes, or lets what was stopped so go on: SIGSTOP, SIGCONT. */
void segment_signal(struct segment *segment, int signal);

/* A ring whose reader has gone: ends it, if more input may still come. */
void segment_reader_left(struct segment *segment);

/* Asks for an early end in which everything that was read is finished. */
void segment_interrupt(struct segment *segment);

/* Asks for an end: its output is of no use any more. With force, at once. */
void segment_abort(struct segment *segment, bool force);

/*
 * Ends whatever is left, by force if need be, and frees. Returns 0, or -ETIMEDOUT when
 * a thread is stuck: then the segment's memory must stay.
 */
int segment_end(struct segment *segment);

#endif
