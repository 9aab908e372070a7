/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batches of a line: command: claimed ahead of their commits, sent to the process record
 * by record, and committed in order once all their records are answered.
 *
 * Threads: the worker's.
 */
#ifndef LINE_BATCHES_H
#define LINE_BATCHES_H

#include "line_process.h"
#include "region.h"
#include "retry_count.h"
#include "ring_eventfd.h"

#include <stdbool.h>
#include <stdint.h>

/* When a process that owes answers is first looked at. What it costs is seen only where it
 * waits.
 */
#define LINE_LOOK_MS 1

/* How long a process is watched for a second answer to its first record. */
#define LINE_PROOF_MS 2u

/* A batch that was claimed and is not committed. */
struct line_batch {
	uint64_t seq;
	size_t told;  /* bytes of its input that were sent */
	size_t until; /* those that a process may take that is not proven; 0: not known yet */
	uint32_t answered;
	size_t size; /* bytes of its output */
};

struct line_worker {
	const struct region *region;
	enum leat_frame frame;
	unsigned position;
	unsigned worker;
	unsigned group;
	unsigned rank;	 /* among the group's; see worker_limit.h */
	bool alone;	 /* the stage's only worker */
	uint64_t next;	 /* hint for a claim; where alone, the next batch */
	bool exhausted;	 /* there is no more to claim */
	bool found_none; /* and found nothing to take */
	bool failed;
	bool left;		    /* a process has ended of its own accord, owing nothing */
	struct line_batch *batches; /* as they were claimed: so they are told and answered */
	uint32_t n_batches;
	uint32_t telling; /* the batch that is being told; n_batches: none */
	struct line_process dialogue;
	bool proven;	   /* the process has answered its first record with one */
	bool awaits_input; /* it answers only when it has been told more */
	uint64_t answers;  /* of the process */
	int look_ms;	   /* how long it may be quiet until it is looked at */
	bool sent_since_check;
	bool stands; /* as of the last look nothing more will come: there is no room for it */
	bool full;   /* it has said what there is no memory for yet */
	bool stall_reported;
	bool rests; /* the process was told that its input ends, and is to be replaced */
	struct retry_count tries; /* since the last answer */
	uint64_t since_ns;	  /* the last commit: what a batch takes is counted from there */
	struct ring_eventfd scout;
	struct launcher *command;
};

/* The first record without an answer fails; without one, the run does. */
__attribute__((format(printf, 2, 3))) void line_batches_fail(
    struct line_worker *line, const char *format, ...);

/* Claims what it may; `found_none` says that there is no more. */
void line_batches_claim_ahead(struct line_worker *line);

/* Whether it may take more than it might when it took last, so that no bell will tell of it. */
bool line_batches_may_claim_more(const struct line_worker *line);

/* Tells the process what it takes now. */
void line_batches_send(struct line_worker *line);
bool line_batches_wants_to_send(struct line_worker *line);

/* How many answers are owed, and whether the oldest batch is owed one to what was told. */
uint64_t line_batches_unanswered(const struct line_worker *line);
bool line_batches_unanswered_sent(const struct line_worker *line);

/*
 * Hands out what the process has said. Its first answer stays for a moment, as a second one
 * to the same record would come at once: line_batches_is_checking_first, until
 * line_batches_accept_first.
 */
void line_batches_receive(struct line_worker *line);
bool line_batches_is_checking_first(const struct line_worker *line);
void line_batches_accept_first(struct line_worker *line);

/* Commits what has been answered. */
void line_batches_commit_answered(struct line_worker *line);

/* Ends the process: another is told what it has not answered. */
void line_batches_start_over(struct line_worker *line);

#endif
