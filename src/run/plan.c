/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>

static void plan_stage(struct plan *plan, uint32_t i, const struct spec *spec, uint32_t group)
{
	struct region_stage *stage = &plan->stages[i];
	stage->kind = spec->kind;
	stage->group = group;
	/* spec_parse has checked that they fit, and realpath gives no more than PATH_MAX. */
	snprintf(stage->name, sizeof(stage->name), "%s", spec->name);
	snprintf(stage->function, sizeof(stage->function), "%s", spec->function);
	snprintf(stage->target, sizeof(stage->target), "%s",
	    spec->kind == STAGE_C ? spec->object : spec->target);
}

static uint32_t plan_new_host(struct plan *plan, enum host_kind kind)
{
	plan->hosts[plan->n_hosts] = kind;
	return plan->n_hosts++;
}

static uint32_t plan_shared_host(struct plan *plan, enum host_kind kind)
{
	for (uint32_t i = 0; i < plan->n_hosts; i++) {
		if (plan->hosts[i] == kind)
			return i;
	}
	return plan_new_host(plan, kind);
}

static void plan_worker(struct plan *plan, uint32_t group, uint32_t host)
{
	plan->workers[plan->n_workers++] = (struct region_worker){.host = host, .group = group};
}

/* One worker for the whole chain; where there is Python, Python's thread runs C as well. */
static void plan_single(struct plan *plan, const struct spec *specs)
{
	enum host_kind kind = HOST_SELF;
	for (uint32_t i = 0; i < plan->n_stages; i++) {
		plan_stage(plan, i, &specs[i], GROUP_WORKERS);
		if (spec_is_python(&specs[i]))
			kind = HOST_PYTHON;
	}
	plan_worker(plan, GROUP_WORKERS, plan_new_host(plan, kind));
}

static uint32_t plan_host(struct plan *plan, enum leat_mode mode, bool python)
{
	if (mode == LEAT_THREADS)
		return plan_shared_host(plan, python ? HOST_PYTHON : HOST_SELF);
	if (mode == LEAT_PROCESSES)
		return plan_new_host(plan, python ? HOST_PYTHON : HOST_LEAT);
	return python ? plan_new_host(plan, HOST_PYTHON) : plan_shared_host(plan, HOST_SELF);
}

void plan_ring(
    enum leat_mode mode, const struct spec *specs, uint32_t n_specs, struct plan *ret_plan)
{
	assert(mode != LEAT_SHELL && n_specs <= REGION_STAGES_MAX);
	*ret_plan = (struct plan){.n_stages = n_specs};
	if (mode == LEAT_SINGLE) {
		plan_single(ret_plan, specs);
		return;
	}
	for (uint32_t i = 0; i < n_specs; i++) {
		uint32_t group = GROUP_WORKERS + i;
		plan_stage(ret_plan, i, &specs[i], group);
		plan_worker(ret_plan, group, plan_host(ret_plan, mode, spec_is_python(&specs[i])));
	}
}
