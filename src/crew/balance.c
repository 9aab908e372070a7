/* SPDX-License-Identifier: Apache-2.0 */
#include "balance.h"

#include "atomic.h"
#include "claim.h"
#include "clock.h"
#include "fd.h"
#include "limit.h"

#include <math.h>

#define BALANCE_MS (1000 * 1000ull)

/* How often to look, while batches are retired. */
#define BALANCE_INTERVAL_NS (20 * BALANCE_MS)

/* What must be worth more than it takes to bring a thread or a process in. */
#define BALANCE_THREAD_NS  (20 * BALANCE_MS)
#define BALANCE_PROCESS_NS (100 * BALANCE_MS)

/* How long fewer must have been enough. */
#define BALANCE_LOWER_NS (1000 * BALANCE_MS)

/* A part of a worker's time that is not worth another worker. */
#define BALANCE_SLACK 0.15

/* Of the rate of what arrives, as it does not arrive evenly. */
#define BALANCE_MARGIN 1.25

/* Workers who have more than they can do are at it for at least so much of the time. */
#define BALANCE_BUSY 0.5

bool balance_is_due(const struct plan *plan)
{
	for (uint32_t i = 0; i < REGION_GROUPS_MAX; i++) {
		if (plan->is_auto[i])
			return true;
	}
	return false;
}

static unsigned balance_housemates(const struct plan *plan, uint32_t host)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < plan->n_workers; i++)
		n += plan->workers[i].host == host;
	return n;
}

/* Whether the group's workers live in one interpreter. */
static bool balance_is_locked(const struct plan *plan, uint32_t group)
{
	for (uint32_t i = 0; i < plan->n_workers; i++) {
		uint32_t host = plan->workers[i].host;
		if (plan->workers[i].group == group)
			return plan->hosts[host] == HOST_PYTHON &&
			       balance_housemates(plan, host) > 1;
	}
	return false;
}

static bool balance_needs_process(const struct plan *plan, uint32_t group)
{
	for (uint32_t i = 0; i < plan->n_workers; i++) {
		uint32_t host = plan->workers[i].host;
		if (plan->workers[i].group == group)
			return plan->hosts[host] != HOST_SELF &&
			       balance_housemates(plan, host) == 1;
	}
	return false;
}

void balance_init(struct balance *balance, const struct plan *plan, unsigned cores, uint64_t now_ns,
    int bell, const struct time_log *log)
{
	*balance = (struct balance){
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
		    stage->kind != STAGE_C && balance_is_locked(plan, stage->group);
		if (stage->group >= balance->n_groups)
			balance->n_groups = stage->group + 1;
	}
	for (uint32_t i = GROUP_WORKERS; i < balance->n_groups; i++) {
		struct balance_group *group = &balance->groups[i];
		group->is_auto = plan->is_auto[i];
		group->needs_process = balance_needs_process(plan, i);
		group->most = plan_group_size(plan, i);
		group->limit = group->is_auto ? 1 : group->most;
	}
}

/* How many workers may want the interpreter's lock. */
static double balance_rivals(const struct balance *balance)
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
static double balance_call_ns(const struct balance *balance, const struct balance_stage *stage)
{
	if (!stage->is_locked)
		return stage->wall_ns;
	double own_ns = stage->wall_ns - (balance_rivals(balance) - 1) * stage->cpu_ns;
	return own_ns > stage->cpu_ns ? own_ns : stage->cpu_ns;
}

static double balance_wall_ns(const struct balance *balance, uint32_t group)
{
	double wall_ns = 0;
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		if (balance->stages[i].group == group)
			wall_ns += balance_call_ns(balance, &balance->stages[i]);
	}
	return wall_ns;
}

/* The rate at which `n` of something are busy all the time. */
static double balance_bound(double n, double busy_ns, double bound)
{
	return busy_ns > 0 && n / busy_ns < bound ? n / busy_ns : bound;
}

double balance_capacity(const struct balance *balance)
{
	double rate = INFINITY;
	double cpu_ns = 0;
	double locked_ns = 0;
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		const struct balance_stage *stage = &balance->stages[i];
		cpu_ns += stage->cpu_ns;
		locked_ns += stage->is_locked ? stage->cpu_ns : 0;
		if (stage->is_alone)
			rate = balance_bound(1, balance_call_ns(balance, stage), rate);
	}
	for (uint32_t i = GROUP_WORKERS; i < balance->n_groups; i++) {
		const struct balance_group *group = &balance->groups[i];
		if (!group->is_auto)
			rate = balance_bound(group->most, balance_wall_ns(balance, i), rate);
	}
	rate = balance_bound(1, locked_ns, rate);
	return balance_bound(balance->cores, cpu_ns, rate);
}

uint32_t balance_need(const struct balance *balance, uint32_t group, double rate)
{
	uint32_t most = balance->groups[group].most;
	double busy = rate * balance_wall_ns(balance, group) - BALANCE_SLACK;
	if (busy <= 1)
		return 1;
	return busy <= most - 1 ? 1 + (uint32_t)busy : most;
}

static uint32_t balance_raise(
    const struct balance_group *group, uint32_t need, uint64_t backlog_ns, uint64_t now_ns)
{
	uint64_t worth_ns = group->needs_process ? BALANCE_PROCESS_NS : BALANCE_THREAD_NS;
	bool worth = backlog_ns >= worth_ns || now_ns - group->behind_since_ns >= worth_ns;
	return worth ? need : group->limit;
}

static uint32_t balance_lower(struct balance_group *group, uint32_t need, uint64_t now_ns)
{
	if (group->low_since_ns == 0) {
		group->low_since_ns = now_ns;
		group->low_need = need;
	}
	if (need > group->low_need)
		group->low_need = need;
	if (now_ns - group->low_since_ns < BALANCE_LOWER_NS)
		return group->limit;
	group->low_since_ns = 0;
	return group->low_need;
}

uint32_t balance_step(
    struct balance_group *group, uint32_t need, uint64_t backlog_ns, uint64_t now_ns)
{
	if (backlog_ns == 0)
		group->behind_since_ns = 0;
	else if (group->behind_since_ns == 0)
		group->behind_since_ns = now_ns;
	if (need < group->limit)
		return group->limit = balance_lower(group, need, now_ns);
	group->low_since_ns = 0;
	if (need > group->limit && backlog_ns > 0)
		group->limit = balance_raise(group, need, backlog_ns, now_ns);
	return group->limit;
}

/* Recent is half old, half new: the first number counts alone. */
static double balance_recent(double old, double new)
{
	return old > 0 ? (old + new) / 2 : new;
}

static void balance_measure(struct balance *balance, const struct region *region, uint64_t now_ns)
{
	double n = (double)balance->n_records;
	balance->rate = balance_recent(balance->rate, n / (double)(now_ns - balance->looked_ns));
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		struct balance_stage *stage = &balance->stages[i];
		const struct region_stage *told = region_stage(region, i);
		stage->wall_ns = balance_recent(stage->wall_ns, (double)stage->sum_wall_ns / n);
		stage->cpu_ns = balance_recent(stage->cpu_ns, (double)stage->sum_cpu_ns / n);
		/* relaxed: said before the first batch, see leat_worker_stateful */
		stage->is_alone = atomic_load_relaxed(&told->is_serial);
	}
}

/* How long the batches that the group has not begun would take it. */
static uint64_t balance_backlog_ns(
    const struct balance *balance, const struct region *region, uint32_t group)
{
	uint32_t limit = balance->groups[group].limit;
	unsigned present = ring_present(region, group);
	double batch_ns = balance_wall_ns(balance, group) * (double)balance->n_records /
			  (double)balance->n_batches;
	return present > limit ? 1 + (uint64_t)(batch_ns * (present - limit) / limit) : 0;
}

static void balance_look(struct balance *balance, const struct region *region, uint64_t record)
{
	double capacity = balance_capacity(balance);
	for (uint32_t i = GROUP_WORKERS; i < balance->n_groups; i++) {
		struct balance_group *group = &balance->groups[i];
		uint32_t before = group->limit;
		if (!group->is_auto)
			continue;
		uint64_t backlog_ns = balance_backlog_ns(balance, region, i);
		/* What comes in small bursts waits for a moment too, and is no reason for more. */
		double busy = balance->rate * balance_wall_ns(balance, i) / group->limit;
		bool pressed = backlog_ns > 0 && busy >= BALANCE_BUSY;
		double rate = pressed ? capacity : balance->rate * BALANCE_MARGIN;
		balance_step(group, balance_need(balance, i, rate), backlog_ns, balance->looked_ns);
		if (group->limit == before)
			continue;
		limit_set(region, i, group->limit);
		if (group->limit > before)
			fd_ring(balance->bell);
		if (balance->log)
			time_log_workers(balance->log, region, i, group->limit, record);
	}
}

void balance_retire(void *context, const struct region *region, const struct slot *slot)
{
	struct balance *balance = context;
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
	if (now_ns - balance->looked_ns < BALANCE_INTERVAL_NS || balance->n_records == 0)
		return;
	balance_measure(balance, region, now_ns);
	balance->looked_ns = now_ns;
	balance_look(balance, region, slot->first_record + slot->n_source_records - 1);
	balance->n_records = 0;
	balance->n_batches = 0;
	for (uint32_t i = 0; i < balance->n_stages; i++) {
		balance->stages[i].sum_wall_ns = 0;
		balance->stages[i].sum_cpu_ns = 0;
	}
}
