/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command of a line:, batch: or each: stage, as one worker starts it: its words or its
 * script, its environment, and where a record has its place.
 *
 * A process of it knows LEAT_STAGE, its stage's name; LEAT_WORKER, which of the stage's
 * workers it works for, from 0; and, but for line:, LEAT_RECORD, the number of its record,
 * or of its batch's first and last as FIRST-LAST.
 *
 * Threads: a command belongs to its worker's.
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include "child.h"
#include "command_argv.h"
#include "job_control.h"
#include "orphan_guard.h"
#include "region.h"
#include "worker_messages.h"

#include <leat/error.h>

#include <stdint.h>

/* What the commands of a ring share. All but the last two is borrowed and constant. */
struct launcher_context {
	const struct orphan_guard *guard;
	int stop;	    /* readable once the run is over */
	unsigned stall_s;   /* a process that gives nothing for so long is worth a line; 0: never */
	unsigned timeout_s; /* and fails after so long; 0: never */
	bool bulk;	    /* the input is a file: nobody waits for an answer to go on */
	bool tag;	    /* lines on stderr say which record they are about */
	const int *errs;    /* where each worker's commands write to as stderr */
	struct worker_messages notices;
	struct job_control suspend; /* its clock is that of stall_s and timeout_s */
};

#define LAUNCHER_ARGV_MAX (COMMAND_ARGV_MAX + 8)

struct launcher {
	const struct region_stage *stage;
	struct launcher_context *context;
	struct command_argv words;
	char *script;	 /* for a shell, where the words are none */
	bool unbuffered; /* it should not buffer what it says */
	bool stdbuf;	 /* and stdbuf is here to see to it */
	char stage_text[96];
	char worker_text[32];
	char record_text[64];
	char **environment; /* NULL-ended; the strings are others' */
	unsigned worker;    /* in the region */
	unsigned rank;	    /* among the stage's workers */
	int err;	    /* borrowed: its stderr */
};

/* What a process is started for. */
struct launcher_start {
	const char *record; /* each: its argument */
	size_t record_size;
	uint64_t first; /* records, as the source counts them */
	uint64_t last;
	int in;
	int out;
	int err; /* -1: the worker's */
};

/* worker: in the region. Returns 0 or -errno with the error written. */
int launcher_open(struct launcher *command, const struct region *region, unsigned stage,
    unsigned worker, struct launcher_context *context, struct leat_error *reterr);

/*
 * From now on its processes are started so that they keep no answer in a buffer, if it is stdio's
 * or Python's; `unbuffered` says that it was done.
 */
void launcher_unbuffer(struct launcher *command);

/* Accepts one that was never opened. */
void launcher_close(struct launcher *command);

/*
 * Starts a process of it, which launcher_end lets go. Returns 0 or -errno: -E2BIG when the
 * record is longer than an argument can be, -EILSEQ when it holds a NUL byte, else
 * what exec failed with.
 */
int launcher_start(
    struct launcher *command, const struct launcher_start *start, struct child *ret_child);

/* Kills it and what it has left behind, if it lives, and reaps it. */
void launcher_end(struct launcher *command, struct child *child);

/* The longest record that is an argument, in bytes. */
size_t launcher_record_max(void);

/* What to say of one that gives nothing: what its state tells, else the other. */
const char *launcher_why_stalled(const struct child *child, const char *otherwise);

/* How a process that was reaped failed, for a message. */
void launcher_describe(
    const struct launcher *command, const struct child *child, char *text, size_t capacity);

#endif
