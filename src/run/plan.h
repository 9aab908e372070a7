/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mode means: which worker runs which stages of a ring, in which process.
 * Nothing else knows about modes, except that `shell` makes every stage a program
 * and `single` runs one segment after the other.
 */
#ifndef PLAN_H
#define PLAN_H

#include "region.h"
#include "spec.h"

enum host_kind {
	HOST_SELF,   /* threads of the run's own process */
	HOST_LEAT,   /* this program, executed again */
	HOST_PYTHON, /* the user's interpreter */
};

/* Workers of one ring, and so hosts. */
#define PLAN_WORKERS_MAX 256

struct plan {
	struct region_stage stages[REGION_STAGES_MAX];
	struct region_worker workers[PLAN_WORKERS_MAX];
	enum host_kind hosts[PLAN_WORKERS_MAX];
	uint32_t n_stages;
	uint32_t n_workers;
	uint32_t n_hosts;
};

/*
 * specs: the ring's stages, resolved, none a command. mode: not LEAT_SHELL. jobs: as in
 * struct leat_options. Returns 0, or -E2BIG for more than PLAN_WORKERS_MAX workers.
 */
int plan_ring(enum leat_mode mode, unsigned jobs, const struct spec *specs, uint32_t n_specs,
    struct plan *ret_plan);

#endif
