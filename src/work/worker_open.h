/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker is: the stages that it can run, loaded, and the batch that it holds. Opening
 * and closing one, and what it says of itself and of its stages, is <leat/worker.h>.
 *
 * Threads: a worker belongs to one.
 */
#ifndef WORKER_OPEN_H
#define WORKER_OPEN_H

#include "atomic.h"
#include "c_call.h"
#include "c_function.h"
#include "launcher.h"
#include "worker_host.h"

#include <leat/worker.h>

#include <stdint.h>

struct worker_stage {
	unsigned position;
	uint64_t next;		   /* hint for ring_claim */
	struct c_function *native; /* a C function; */
	struct launcher *command;  /* or a command; both NULL: foreign, the caller runs it */
	unsigned stands_for;	   /* a carrier's: the worker in whose name it claims */
};

/* A result that is parked until there is memory for it; the claim is held all the while. */
struct parked_result {
	void *data; /* owned; NULL: there is none */
	uint64_t size;
	uint64_t seq;
	unsigned position;
	enum leat_kind kind;
	uint32_t n_records;
};

struct leat_worker {
	struct leat_host *host;
	unsigned index;
	unsigned group; /* a carrier's: WORKER_CARRIER */
	unsigned rank;	/* in its group; see worker_limit.h */
	unsigned n_stages;
	struct worker_stage stages[REGION_STAGES_MAX]; /* by position, ascending */
	/* The batch that is held; valid while `held` is set. */
	struct worker_stage *held;
	bool entered; /* see worker_host_enter */
	uint64_t seq;
	uint64_t cpu_ns;	     /* this thread's, at the claim */
	uint64_t child_cpu_ns;	     /* of the processes that it has started since */
	struct c_call_result result; /* here, as a crash must not take it away */
	struct parked_result parked;
};

/* Not a group: it works at every position. */
#define WORKER_CARRIER UINT32_MAX

static inline struct region *worker_region(const struct leat_worker *worker)
{
	return &worker->host->region;
}

/* The first worker that has this stage. */
static inline unsigned worker_first_of(
    const struct region *region, const struct region_stage *stage)
{
	unsigned worker = 0;
	while (region_worker(region, worker)->group != stage->group)
		worker++;
	return worker;
}

/*
 * What the workers of a stage have said of it. relaxed: its first was ready before the first
 * batch came, and one that is started later only says the same again.
 */
static inline uint32_t worker_said(const uint32_t *what)
{
	return atomic_load_relaxed(what);
}

/* Loads the stages of the worker's group; a carrier's: all. Returns 0 or -errno, with the error. */
int worker_load(struct leat_worker *worker, struct leat_error *reterr);

#endif
