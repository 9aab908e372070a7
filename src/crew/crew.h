/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crew of a ring: its hosts, which are processes, and its threads in this
 * process. Started, watched and ended here.
 *
 * Threads: the thread that runs the run.
 */
#ifndef CREW_H
#define CREW_H

#include "child.h"
#include "stderr_relay.h"
#include "worker_host.h"
#include "worker_plan.h"

#include <leat/error.h>

#include <poll.h>
#include <pthread.h>

struct crew_thread {
	struct crew *crew;
	unsigned nth; /* of this process's workers */
	pthread_t thread;
	bool started;
	uint32_t ended;
};

/* The deaths of one host's processes. */
struct crew_losses {
	uint32_t restarts;
	uint32_t barren[2]; /* in a row, before any batch; the second of these by SIGKILL */
	uint32_t commits;   /* of its workers, when the process started */
	char how[128];	    /* the last one ended */
};

/* Descriptors that crew_poll adds, at most. */
#define CREW_POLL_MAX (2 * PLAN_WORKERS_MAX)

struct crew {
	struct worker_plan plan;
	struct region region;
	int bell;
	struct leat_host self;
	struct crew_thread threads[PLAN_WORKERS_MAX];
	struct child hosts[PLAN_WORKERS_MAX];
	struct crew_losses losses[PLAN_WORKERS_MAX];
	struct stderr_relay relays[PLAN_WORKERS_MAX]; /* what each host writes to stderr */
	struct stderr_relay_outlet *outlet;	      /* borrowed: where it goes */
	const char *python;			      /* borrowed */
	bool tag;				      /* each of its lines says whose it is */
	struct launcher_context commands;
	struct stderr_relay
	    command_relays[PLAN_WORKERS_MAX]; /* what each worker's commands write */
	int command_errs[PLAN_WORKERS_MAX];   /* their ends of these; -1: none */
	uint64_t batch_bytes;		      /* this and the next as in the region's */
	uint32_t batch_records;
	bool restart_state; /* a stage that lost its state begins anew */
	bool working;	    /* everyone was ready once: from now on the dead are replaced */
	bool abandoned;	    /* a thread is stuck in a stage: the mapping must stay */
};

/* Called for each host that has ended, once; stage is TRACE_NO_STAGE for several. */
typedef void crew_ended(void *context, const struct crew *crew, unsigned host);

/*
 * Makes the region and starts everyone. plan, the batches, what commands are to be told,
 * outlet and tag are filled in already; bell is borrowed.
 * Returns 0 or -errno with the error written; crew_end is due in both cases.
 */
int crew_start(
    struct crew *crew, int bell, const struct leat_options *options, struct leat_error *reterr);

/* Returns 1 when all workers are ready or rest, 0 when not yet, -errno when one refuses. */
int crew_ready(struct crew *crew, struct leat_error *reterr);

/* Adds what tells of a host's end or of its words; returns how many, at most CREW_POLL_MAX. */
int crew_poll(const struct crew *crew, struct pollfd *items);

/* The same for their words alone; and passing these on. */
int crew_poll_stderr(const struct crew *crew, struct pollfd *items);
void crew_relay_stderr(struct crew *crew);

/*
 * Reaps hosts that have ended, and replaces those that should not have; see crash_recovery.h.
 * Returns 0, or -errno with the error written.
 */
int crew_reap(struct crew *crew, crew_ended *ended, void *context, struct leat_error *reterr);

/* Whether every host has ended and been reaped, and every thread has done its work. */
bool crew_is_gone(const struct crew *crew);

/* Whether all its workers are threads of this process. */
bool crew_is_in_process(const struct crew *crew);

/* Whether a host's process is there. */
bool crew_has_hosts(const struct crew *crew);

/* The run is over, whatever is being worked on. */
void crew_stop(struct crew *crew);

/* Stops everyone, by force if need be, and frees what crew_start made. */
void crew_end(struct crew *crew, crew_ended *ended, void *context);

#endif
