/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run: the segments of a chain, the pipes between them, the signals, and what it
 * all came to. There is one way to stop: a segment that failed has ended, what is
 * before it is aborted, and what is behind it sees the end of its input and finishes.
 *
 * Threads: one; it must be the thread that later frees.
 */
#ifndef RUN_H
#define RUN_H

#include "segment.h"

#include <signal.h>

/* Descriptors that the run watches beside its segments' own. */
#define RUN_ITEMS 4

struct run {
	const struct leat_options *options;
	struct segment *segments[REGION_STAGES_MAX];
	uint32_t n_segments;
	struct orphan_guard guard;
	uint32_t wave_first; /* the segments that run now: all, or in single mode one */
	uint32_t wave_end;
	int bell;
	int signals;	   /* a signalfd */
	bool watch_reader; /* the output is a pipe, whose reader may leave */
	bool owns_signals; /* the two below are what was before */
	sigset_t mask_before;
	void (*pipe_before)(int);
	bool emptied; /* the output's file */
	int interrupts;
	bool loses;	      /* an interrupt has ended a command that may have read more */
	int interrupt_status; /* LEAT_INTERRUPTED or LEAT_TERMINATED */
	uint64_t kill_at_ns;  /* when aborted segments are ended by force; 0: never */
	struct stderr_relay_outlet outlet; /* our stderr, as workers write to it */
	struct pollfd items[RUN_ITEMS + REGION_STAGES_MAX * SEGMENT_POLL_MAX];
	struct leat_error error;
	bool abandoned; /* a thread is stuck; see segment_end */
};

/*
 * run: all zero; most of it is never touched, and what is costs a page each. specs: the
 * whole chain, resolved. Returns 0 or -errno with the error written;
 * run_close is due in both cases.
 */
int run_open(struct run *run, const struct leat_options *options, const struct stage_spec *specs,
    uint32_t n_specs, struct leat_error *reterr);

/* Runs to the end; the result is in run->error. */
void run_go(struct run *run);

/* The segments that run now, by their number among these. */
static inline struct segment *run_wave(struct run *run, uint32_t i)
{
	return run->segments[run->wave_first + i];
}

static inline uint32_t run_wave_size(const struct run *run)
{
	return run->wave_end - run->wave_first;
}

/* Nothing is left behind. With run->abandoned the memory of *run must stay. */
void run_close(struct run *run);

#endif
