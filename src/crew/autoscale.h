/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Autoscaling: how many workers of a group with `auto` are active. It is decided some times a
 * second from the histories of retired slots and published as the group's limit (see
 * ring/worker_limit.h). Where a process must be started for it, the run's eventfd is written.
 *
 * A group needs as many workers as the rate of records times its wall time for a record. The
 * rate is what the chain could reach, where batches queue for this group, else the measured
 * one. It scales up soon, but not for a backlog that would be gone before the new worker is
 * ready; it scales down only after fewer workers would have been enough for some time.
 *
 * Threads: autoscale_retire is an observer, called by whoever retires a slot; everything else
 * is called before the run starts.
 */
#ifndef AUTOSCALE_H
#define AUTOSCALE_H

#include "observer.h"
#include "time_log.h"
#include "worker_plan.h"

/* A stage; times for one record of the source. */
struct autoscale_stage {
	uint32_t group;
	bool is_alone;	/* one worker at a time, however many its group has */
	bool is_locked; /* under the interpreter's lock, together with others */
	double wall_ns;
	double cpu_ns;
	uint64_t sum_wall_ns; /* since the last look */
	uint64_t sum_cpu_ns;
};

struct autoscale_group {
	bool is_auto;
	bool needs_process;	  /* for each worker */
	uint32_t most;		  /* workers that there are, or could be */
	uint32_t limit;		  /* that may work */
	uint64_t behind_since_ns; /* 0: it is not */
	uint64_t low_since_ns;	  /* fewer would do since then; 0: they would not */
	uint32_t low_need;	  /* and so many at the most since then */
};

struct autoscale {
	unsigned cores;
	uint32_t n_stages;
	uint32_t n_groups;
	struct autoscale_stage stages[REGION_STAGES_MAX];
	struct autoscale_group groups[REGION_GROUPS_MAX];
	double rate; /* records of the source, a nanosecond */
	uint64_t looked_ns;
	uint64_t n_records; /* since then */
	uint64_t n_batches;
	int bell;
	const struct time_log *log; /* NULL: changes are not told */
};

/* Whether there is anything to decide. */
bool autoscale_is_due(const struct worker_plan *plan);

void autoscale_init(struct autoscale *balance, const struct worker_plan *plan, unsigned cores,
    uint64_t now_ns, int bell, const struct time_log *log);

/* An observer's `retire`; the context is a struct autoscale. */
void autoscale_retire(void *context, const struct region *region, const struct slot *slot);

/* The steps of a look, without a ring. */

/* The rate that the chain could reach, in records of the source a nanosecond; may be INFINITY. */
double autoscale_capacity(const struct autoscale *balance);

/* How many workers the group needs at this rate: 1 to its most. */
uint32_t autoscale_need(const struct autoscale *balance, uint32_t group, double rate);

/*
 * The group's new limit. backlog_ns: how long what it has not begun would take it; 0: it
 * is not behind.
 */
uint32_t autoscale_step(
    struct autoscale_group *group, uint32_t need, uint64_t backlog_ns, uint64_t now_ns);

#endif
