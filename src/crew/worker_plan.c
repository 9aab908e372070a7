/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_plan.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

static void worker_plan_stage(
    struct worker_plan *plan, uint32_t i, const struct stage_spec *spec, uint32_t group)
{
	struct region_stage *stage = &plan->stages[i];
	stage->kind = spec->kind;
	stage->group = group;
	/* stage_spec_parse has checked that they fit, and realpath gives no more than PATH_MAX. */
	snprintf(stage->name, sizeof(stage->name), "%s", spec->name);
	snprintf(
	    stage->function, sizeof(stage->function), "%s", spec->function ? spec->function : "");
	snprintf(stage->target, sizeof(stage->target), "%s",
	    spec->kind == STAGE_C ? spec->object : spec->target);
}

static uint32_t worker_plan_new_host(struct worker_plan *plan, enum host_kind kind)
{
	plan->hosts[plan->n_hosts] = kind;
	return plan->n_hosts++;
}

static uint32_t worker_plan_shared_host(struct worker_plan *plan, enum host_kind kind)
{
	for (uint32_t i = 0; i < plan->n_hosts; i++) {
		if (plan->hosts[i] == kind)
			return i;
	}
	return worker_plan_new_host(plan, kind);
}

static void worker_plan_worker(struct worker_plan *plan, uint32_t group, uint32_t host)
{
	plan->workers[plan->n_workers++] = (struct region_worker){.host = host, .group = group};
}

/* Where a worker of a group lives. What speaks with a command has a process there already. */
static uint32_t worker_plan_host(
    struct worker_plan *plan, enum leat_mode mode, bool python, bool command)
{
	if (command)
		return worker_plan_shared_host(plan, HOST_SELF);
	if (mode == LEAT_THREADS)
		return worker_plan_shared_host(plan, python ? HOST_PYTHON : HOST_SELF);
	if (mode == LEAT_PROCESSES)
		return worker_plan_new_host(plan, python ? HOST_PYTHON : HOST_LEAT);
	return python ? worker_plan_new_host(plan, HOST_PYTHON)
		      : worker_plan_shared_host(plan, HOST_SELF);
}

/* A command has workers of its own, who do nothing else. */
static bool worker_plan_group_is_command(const struct worker_plan *plan, uint32_t group)
{
	for (uint32_t i = 0; i < plan->n_stages; i++) {
		if (plan->stages[i].group == group && region_kind_is_command(plan->stages[i].kind))
			return true;
	}
	return false;
}

/* A worker runs all stages of its group, so where there is Python, Python's thread runs C too. */
static bool worker_plan_group_is_python(
    const struct worker_plan *plan, const struct stage_spec *specs, uint32_t group)
{
	for (uint32_t i = 0; i < plan->n_stages; i++) {
		if (plan->stages[i].group == group && stage_spec_is_python(&specs[i]))
			return true;
	}
	return false;
}

static bool worker_plan_has_group(const struct worker_plan *plan, uint32_t group)
{
	for (uint32_t i = 0; i < plan->n_stages; i++) {
		if (plan->stages[i].group == group)
			return true;
	}
	return false;
}

unsigned worker_plan_group_size(const struct worker_plan *plan, uint32_t group)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < plan->n_workers; i++)
		n += plan->workers[i].group == group;
	return n;
}

static int worker_plan_workers(struct worker_plan *plan, enum leat_mode mode,
    const struct stage_spec *specs, uint32_t group, unsigned n)
{
	bool python = worker_plan_group_is_python(plan, specs, group);
	bool command = worker_plan_group_is_command(plan, group);
	for (unsigned i = 0; i < n; i++) {
		if (plan->n_workers == PLAN_WORKERS_MAX)
			return -E2BIG;
		worker_plan_worker(plan, group, worker_plan_host(plan, mode, python, command));
	}
	return 0;
}

/* How many workers a stage has of its own; 0: the pool runs it. */
static unsigned worker_plan_own_workers(
    enum leat_mode mode, unsigned jobs, const struct stage_spec *spec)
{
	bool alone = jobs == 0 || spec->serial;
	if (region_kind_is_command(spec->kind) && spec->workers == 0)
		return alone ? 1 : jobs;
	if (mode == LEAT_SINGLE)
		return region_kind_is_command(spec->kind);
	if (spec->workers > 0)
		return spec->workers;
	return alone ? 1 : 0;
}

/* What each group that has `auto` gets of the workers that the others leave. */
static unsigned worker_plan_auto_workers(enum leat_mode mode, unsigned jobs, unsigned cores,
    const struct stage_spec *specs, uint32_t n_specs)
{
	unsigned n_auto = jobs == LEAT_WORKERS_AUTO;
	uint64_t fixed = jobs == LEAT_WORKERS_AUTO ? 0 : jobs;
	for (uint32_t i = 0; i < n_specs; i++) {
		unsigned own = worker_plan_own_workers(mode, jobs, &specs[i]);
		if (own == LEAT_WORKERS_AUTO)
			n_auto++;
		else
			fixed += own;
	}
	uint64_t left = fixed < PLAN_WORKERS_MAX ? PLAN_WORKERS_MAX - fixed : 0;
	uint64_t share = n_auto > 0 ? left / n_auto : left;
	return share == 0 ? 1 : share < cores ? (unsigned)share : cores;
}

int worker_plan_ring(enum leat_mode mode, unsigned jobs, unsigned cores,
    const struct stage_spec *specs, uint32_t n_specs, struct worker_plan *ret_plan)
{
	assert(mode != LEAT_SHELL && n_specs <= REGION_STAGES_MAX);
	*ret_plan = (struct worker_plan){.n_stages = n_specs};
	unsigned most = worker_plan_auto_workers(mode, jobs, cores, specs, n_specs);
	unsigned pool = mode == LEAT_SINGLE ? 1 : jobs == LEAT_WORKERS_AUTO ? most : jobs;
	uint32_t group = GROUP_WORKERS + (pool > 0);
	ret_plan->is_auto[GROUP_WORKERS] = jobs == LEAT_WORKERS_AUTO && mode != LEAT_SINGLE;
	for (uint32_t i = 0; i < n_specs; i++) {
		unsigned said = worker_plan_own_workers(mode, jobs, &specs[i]);
		unsigned own = said == LEAT_WORKERS_AUTO ? most : said;
		struct region_stage *stage = &ret_plan->stages[i];
		worker_plan_stage(ret_plan, i, &specs[i], own > 0 ? group++ : GROUP_WORKERS);
		stage->is_serial = (own > 0 ? own : pool) == 1 || specs[i].serial;
		/* Also where there is one core: what is refused does not depend on the machine. */
		stage->is_replicated = said > 1;
		stage->is_stateless = said > 1 || (own == 0 && mode != LEAT_SINGLE);
		stage->owner = OWNER_ANY;
		if (own > 0)
			ret_plan->is_auto[stage->group] = said == LEAT_WORKERS_AUTO;
		int r = own > 0 ? worker_plan_workers(ret_plan, mode, specs, stage->group, own) : 0;
		if (r < 0)
			return r;
	}
	return pool > 0 && worker_plan_has_group(ret_plan, GROUP_WORKERS)
		   ? worker_plan_workers(ret_plan, mode == LEAT_SINGLE ? LEAT_AUTO : mode, specs,
			 GROUP_WORKERS, pool)
		   : 0;
}
