/* SPDX-License-Identifier: Apache-2.0 */
#include "autoscale.h"

#include "atomic.h"
#include "claim.h"
#include "clock.h"
#include "fd.h"
#include "worker_limit.h"

#include <math.h>

#define AUTOSCALE_MS (1000 * 1000ull)

/* How often to look, while batches are retired. */
#define AUTOSCALE_INTERVAL_NS (20 * AUTOSCALE_MS)

/* What must be worth more than it takes to bring a thread or a process in. */
#define AUTOSCALE_THREAD_NS  (20 * AUTOSCALE_MS)
#define AUTOSCALE_PROCESS_NS (100 * AUTOSCALE_MS)

/* How long fewer must have been enough. */
#define AUTOSCALE_LOWER_NS (1000 * AUTOSCALE_MS)

/* A part of a worker's time that is not worth another worker. */
#define AUTOSCALE_SLACK 0.15

/* Of the rate of what arrives, as it does not arrive evenly. */
#define AUTOSCALE_MARGIN 1.25

/* Workers who have more than they can do are at it for at least so much of the time. */
#define AUTOSCALE_BUSY 0.5

bool autoscale_is_due(const struct worker_plan *plan)
{
	for (uint32_t i = 0; i < REGION_GROUPS_MAX; i++) {
		if (plan->is_auto[i])
			return true;
	}
	return false;
}

static unsigned autoscale_housemates(const struct worker_plan *plan, uint32_t host)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < plan->n_workers; i++)
		n += plan->workers[i].host == host;
	return n;
}

/* Whether the group's workers live in one interpreter. */
static bool autoscale_is_locked(const struct worker_plan *plan, uint32_t group)
{
	for (uint32_t i = 0; i < plan->n_workers; i++) {
		uint32_t host = plan->workers[i].host;
		if (plan->workers[i].group == group)
			return plan->hosts[host] == HOST_PYTHON &&
			       autoscale_housemates(plan, host) > 1;
	}
	return false;
}

static bool autoscale_needs_process(const struct worker_plan *plan, uint32_t group)
{
	for (uint32_t i = 0; i < plan->n_workers; i++) {
		uint32_t host = plan->workers[i].host;
		if (plan->workers[i].group == group)
			return plan->hosts[host] != HOST_SELF &&
			       autoscale_housemates(plan, host) == 1;
	}
	return false;
}

void autoscale_init(struct autoscale *balance, const struct worker_plan *plan, unsigned cores,
    uint64_t now_ns, int bell, const struct time_log *log)
{
	*balance = (struct autoscale){
	    .cores = cores,
	    .n_stages = plan->n_stages,
	    .looked_ns = now_ns,
	    .bell = bell,
	    .log = log,
	};
	for (uint32_t i = 0; i < plan->n_stages; i++) {
		const struct region_stage *stage = &plan->stages[i];
		balance->stages[i].group = stage->group;
		balance->stages[i].is_locked =
		    stage->kind != STAGE_C && autoscale_is_locked(plan, stage->group);
		if (stage->group >= balance->n_groups)
			balance->n_groups = stage->group + 1;
	}
	for (uint32_t i = GROUP_WORKERS; i < balance->n_groups; i++) {
		struct autoscale_group *group = &balance->groups[i];
		group->is_auto = plan->is_auto[i];
		group->needs_process = autoscale_needs_process(plan, i);
		group->most = worker_plan_group_size(plan, i);
		group->limit = group->is_auto ? 1 : group->most;
	}
}

/* How many workers may want the interpreter's lock. */
static double autoscale_rivals(const struct autoscale *balance)
{
	uint32_t n = 0;
	for (uint32_t i = GROUP_WORKERS; i < balance->n_groups; i++) {
		bool is_locked = false;
		for (uint32_t k = 0; k < balance->n_stages; k++)
			is_locked |= balance->stages[k].group == i && balance->stages[k].is_locked;
		n += is_locked ? balance->groups[i].limit : 0;
	}
	return n;
}

/*
 * The wall time of a call; without that of waiting for the lock, as far as others explain
 * it: more workers would only make that longer.
 */
static double autoscale_call_ns(
    const struct autoscale *balance, const struct autoscale_stage *stage)
{
	if (!stage->is_locked)
		return stage->wall_ns;
	double own_ns = stage->wall_ns - (autoscale_rivals(balance) - 1) * stage->cpu_ns;
	return own_ns > stage->cpu_ns ? own_ns : stage->cpu_ns;
}

static double autoscale_wall_ns(const struct autoscale *balance, uint32_t group)
{
	double wall_ns = 0;
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		if (balance->stages[i].group == group)
			wall_ns += autoscale_call_ns(balance, &balance->stages[i]);
	}
	return wall_ns;
}

/* The rate at which `n` of something are busy all the time. */
static double autoscale_bound(double n, double busy_ns, double bound)
{
	return busy_ns > 0 && n / busy_ns < bound ? n / busy_ns : bound;
}

double autoscale_capacity(const struct autoscale *balance)
{
	double rate = INFINITY;
	double cpu_ns = 0;
	double locked_ns = 0;
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		const struct autoscale_stage *stage = &balance->stages[i];
		cpu_ns += stage->cpu_ns;
		locked_ns += stage->is_locked ? stage->cpu_ns : 0;
		if (stage->is_alone)
			rate = autoscale_bound(1, autoscale_call_ns(balance, stage), rate);
	}
	for (uint32_t i = GROUP_WORKERS; i < balance->n_groups; i++) {
		const struct autoscale_group *group = &balance->groups[i];
		if (!group->is_auto)
			rate = autoscale_bound(group->most, autoscale_wall_ns(balance, i), rate);
	}
	rate = autoscale_bound(1, locked_ns, rate);
	return autoscale_bound(balance->cores, cpu_ns, rate);
}

uint32_t autoscale_need(const struct autoscale *balance, uint32_t group, double rate)
{
	uint32_t most = balance->groups[group].most;
	double busy = rate * autoscale_wall_ns(balance, group) - AUTOSCALE_SLACK;
	if (busy <= 1)
		return 1;
	return busy <= most - 1 ? 1 + (uint32_t)busy : most;
}

static uint32_t autoscale_raise(
    const struct autoscale_group *group, uint32_t need, uint64_t backlog_ns, uint64_t now_ns)
{
	uint64_t worth_ns = group->needs_process ? AUTOSCALE_PROCESS_NS : AUTOSCALE_THREAD_NS;
	bool worth = backlog_ns >= worth_ns || now_ns - group->behind_since_ns >= worth_ns;
	return worth ? need : group->limit;
}

static uint32_t autoscale_lower(struct autoscale_group *group, uint32_t need, uint64_t now_ns)
{
	if (group->low_since_ns == 0) {
		group->low_since_ns = now_ns;
		group->low_need = need;
	}
	if (need > group->low_need)
		group->low_need = need;
	if (now_ns - group->low_since_ns < AUTOSCALE_LOWER_NS)
		return group->limit;
	group->low_since_ns = 0;
	return group->low_need;
}

uint32_t autoscale_step(
    struct autoscale_group *group, uint32_t need, uint64_t backlog_ns, uint64_t now_ns)
{
	if (backlog_ns == 0)
		group->behind_since_ns = 0;
	else if (group->behind_since_ns == 0)
		group->behind_since_ns = now_ns;
	if (need < group->limit)
		return group->limit = autoscale_lower(group, need, now_ns);
	group->low_since_ns = 0;
	if (need > group->limit && backlog_ns > 0)
		group->limit = autoscale_raise(group, need, backlog_ns, now_ns);
	return group->limit;
}

/* Recent is half old, half new: the first number counts alone. */
static double autoscale_recent(double old, double new)
{
	return old > 0 ? (old + new) / 2 : new;
}

static void autoscale_measure(
    struct autoscale *balance, const struct region *region, uint64_t now_ns)
{
	double n = (double)balance->n_records;
	balance->rate = autoscale_recent(balance->rate, n / (double)(now_ns - balance->looked_ns));
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		struct autoscale_stage *stage = &balance->stages[i];
		const struct region_stage *told = region_stage(region, i);
		stage->wall_ns = autoscale_recent(stage->wall_ns, (double)stage->sum_wall_ns / n);
		stage->cpu_ns = autoscale_recent(stage->cpu_ns, (double)stage->sum_cpu_ns / n);
		/* relaxed: said before the first batch, see leat_worker_stateful */
		stage->is_alone = atomic_load_relaxed(&told->is_serial);
	}
}

/* How long the batches that the group has not begun would take it. */
static uint64_t autoscale_backlog_ns(
    const struct autoscale *balance, const struct region *region, uint32_t group)
{
	uint32_t limit = balance->groups[group].limit;
	unsigned present = ring_present(region, group);
	double batch_ns = autoscale_wall_ns(balance, group) * (double)balance->n_records /
			  (double)balance->n_batches;
	return present > limit ? 1 + (uint64_t)(batch_ns * (present - limit) / limit) : 0;
}

static void autoscale_look(struct autoscale *balance, const struct region *region, uint64_t record)
{
	double capacity = autoscale_capacity(balance);
	for (uint32_t i = GROUP_WORKERS; i < balance->n_groups; i++) {
		struct autoscale_group *group = &balance->groups[i];
		uint32_t before = group->limit;
		if (!group->is_auto)
			continue;
		uint64_t backlog_ns = autoscale_backlog_ns(balance, region, i);
		/* What comes in small bursts waits for a moment too, and is no reason for more. */
		double busy = balance->rate * autoscale_wall_ns(balance, i) / group->limit;
		bool pressed = backlog_ns > 0 && busy >= AUTOSCALE_BUSY;
		double rate = pressed ? capacity : balance->rate * AUTOSCALE_MARGIN;
		autoscale_step(
		    group, autoscale_need(balance, i, rate), backlog_ns, balance->looked_ns);
		if (group->limit == before)
			continue;
		worker_limit_set(region, i, group->limit);
		if (group->limit > before)
			fd_ring(balance->bell);
		if (balance->log)
			time_log_workers(balance->log, region, i, group->limit, record);
	}
}

void autoscale_retire(void *context, const struct region *region, const struct slot *slot)
{
	struct autoscale *balance = context;
	uint64_t now_ns = clock_wall_ns();
	balance->n_records += slot->n_source_records;
	balance->n_batches++;
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		const struct slot_history *call = &slot->history[i];
		if (call->records_in == 0)
			continue;
		balance->stages[i].sum_wall_ns += call->end_ns - call->start_ns;
		balance->stages[i].sum_cpu_ns += call->cpu_ns;
	}
	if (now_ns - balance->looked_ns < AUTOSCALE_INTERVAL_NS || balance->n_records == 0)
		return;
	autoscale_measure(balance, region, now_ns);
	balance->looked_ns = now_ns;
	autoscale_look(balance, region, slot->first_record + slot->n_source_records - 1);
	balance->n_records = 0;
	balance->n_batches = 0;
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		balance->stages[i].sum_wall_ns = 0;
		balance->stages[i].sum_cpu_ns = 0;
	}
}
