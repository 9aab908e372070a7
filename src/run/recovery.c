/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include "atomic.h"
#include "claim.h"
#include "failure.h"
#include "slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/*
 * How often a batch is tried, and how often in a row a process may die before it has
 * done anything. SIGKILL comes from outside, from a person or for want of memory, and
 * says little about the record.
 */
#define RECOVERY_TRIES	      3u
#define RECOVERY_TRIES_KILLED 25u

static bool recovery_was_killed(const struct child *child)
{
	return WIFSIGNALED(child->status) && WTERMSIG(child->status) == SIGKILL;
}

/* Whether all of its workers had started well and held nothing. */
static bool recovery_was_waiting(const struct crew *crew, unsigned host)
{
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		uint64_t seq;
		unsigned position;
		if (worker->host != host)
			continue;
		/* pairs with: worker_tell */
		if (atomic_load_acquire(&worker->state) != WORKER_READY ||
		    ring_held(&crew->region, i, &seq, &position))
			return false;
	}
	return true;
}

/* Takes back what a dead worker held; a batch that kills is cut where it does. */
static bool recovery_take_back(struct crew *crew, unsigned worker, unsigned tries, const char *how)
{
	const struct region *region = &crew->region;
	uint64_t seq;
	unsigned position;
	if (!ring_held(region, worker, &seq, &position))
		return false;
	struct slot *slot = slot_at(region, seq);
	uint32_t attempts = slot->history[position - 1].attempts;
	/* It may have died between telling of a failure and its commit: it will tell again. */
	if (slot->failure.stage == position - 1)
		slot_clear_failure(slot);
	if (attempts >= tries) {
		char why[160];
		snprintf(why, sizeof(why), "%s, %u times", how, attempts);
		slot_cut(region, seq, position, slot->progress, why);
		slot_shorten_input(region, seq, position, slot->progress);
		slot->history[position - 1].attempts = 0;
	}
	return ring_take_back(region, seq, position, worker);
}

static uint32_t recovery_commits(const struct crew *crew, unsigned host)
{
	uint32_t commits = 0;
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		/* relaxed: its process is dead, nothing is written any more */
		if (worker->host == host)
			commits += atomic_load_relaxed(&worker->commits);
	}
	return commits;
}

/* Each of its workers starts anew; returns whether one of them had refused to start. */
static bool recovery_reset(struct crew *crew, unsigned host, unsigned tries, const char *how)
{
	bool refused = false;
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		if (worker->host != host)
			continue;
		/* pairs with: worker_tell */
		if (atomic_load_acquire(&worker->state) == WORKER_REFUSED)
			refused = true;
		else
			/* relaxed: its process is dead, and the next one not started */
			atomic_store_relaxed(&worker->state, WORKER_STARTING);
		(void)recovery_take_back(crew, i, tries, how);
	}
	return refused;
}

/* Of stages that share a process, nobody knows which one it died of. */
static void recovery_describe(const struct crew *crew, unsigned host, char *text, size_t capacity)
{
	char how[96];
	unsigned n = 0;
	for (unsigned i = 0; i < crew->plan.n_workers; i++)
		n += crew->plan.workers[i].host == host;
	child_describe(&crew->hosts[host], how, sizeof(how));
	snprintf(text, capacity, "%s%s", n > 1 ? "the process it shares " : "", how);
}

int recovery_host_died(struct crew *crew, unsigned host, struct leat_error *reterr)
{
	struct crew_losses *losses = &crew->losses[host];
	bool killed = recovery_was_killed(&crew->hosts[host]);
	unsigned tries = killed ? RECOVERY_TRIES_KILLED : RECOVERY_TRIES;
	uint32_t commits = recovery_commits(crew, host);
	/* Whoever kills one that waits, and however often, says nothing about a stage. */
	bool innocent = killed && recovery_was_waiting(crew, host);
	recovery_describe(crew, host, losses->how, sizeof(losses->how));
	bool refused = recovery_reset(crew, host, tries, losses->how);
	/* Also where nothing was held: the last wake-up may be what it died before. */
	ring_rouse(&crew->region);
	/* crew_ready tells why a worker refused. */
	if (refused)
		return 0;
	if (commits != losses->commits)
		losses->barren = 0;
	else if (!innocent)
		losses->barren++;
	losses->commits = commits;
	if (!crew->working && tries == RECOVERY_TRIES)
		return failure(reterr, LEAT_CANNOT_START, -ECHILD,
		    "stage '%s': %s before it was ready", crew_host_name(crew, host), losses->how);
	if (losses->barren > tries)
		return failure(reterr, LEAT_STOPPED, -ECHILD,
		    "stage '%s': %s, %u times in a row before it did anything",
		    crew_host_name(crew, host), losses->how, losses->barren);
	if (!crew_is_wanted(crew, host)) {
		crew_rest(crew, host);
		return 0;
	}
	losses->restarts++;
	return crew_start_host(crew, host, reterr);
}
