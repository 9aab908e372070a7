/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mode means: which worker runs which stages of a ring, in which process.
 * Nothing else knows about modes, except that `shell` makes every stage a program
 * and `single` runs one segment after the other.
 */
#ifndef WORKER_PLAN_H
#define WORKER_PLAN_H

#include "region.h"
#include "stage_spec.h"

#include <stdbool.h>

enum host_kind {
	HOST_SELF,   /* threads of the run's own process */
	HOST_LEAT,   /* this program, executed again */
	HOST_PYTHON, /* the user's interpreter */
};

/* Workers of one ring, and so hosts. */
#define PLAN_WORKERS_MAX 256

struct worker_plan {
	struct region_stage stages[REGION_STAGES_MAX];
	struct region_worker workers[PLAN_WORKERS_MAX];
	enum host_kind hosts[PLAN_WORKERS_MAX];
	bool is_auto[REGION_GROUPS_MAX]; /* how many workers of a group work is found out */
	uint32_t n_stages;
	uint32_t n_workers;
	uint32_t n_hosts;
};

/*
 * specs: the ring's stages, resolved, none a command. mode: not LEAT_SHELL. jobs: as in
 * struct leat_options. cores: what `auto` has at the most, or less where that would be more
 * than PLAN_WORKERS_MAX. Returns 0, or -E2BIG for more workers than these.
 */
int worker_plan_ring(enum leat_mode mode, unsigned jobs, unsigned cores,
    const struct stage_spec *specs, uint32_t n_specs, struct worker_plan *ret_plan);

/* How many workers the plan has for a group. */
unsigned worker_plan_group_size(const struct worker_plan *plan, uint32_t group);

#endif
