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

struct plan {
	struct region_stage stages[REGION_STAGES_MAX];
	struct region_worker workers[REGION_STAGES_MAX];
	enum host_kind hosts[REGION_STAGES_MAX];
	uint32_t n_stages;
	uint32_t n_workers;
	uint32_t n_hosts;
};

/* specs: the ring's stages, resolved, none a command. mode: not LEAT_SHELL. */
void plan_ring(
    enum leat_mode mode, const struct spec *specs, uint32_t n_specs, struct plan *ret_plan);

#endif
