/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_recovery.h"

#include "atomic.h"
#include "claim.h"
#include "failure.h"
#include "host_process.h"
#include "retry_count.h"
#include "slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* So many times as often where other batches were begun too, one of which may have done it. */
#define RECOVERY_IN_COMPANY 2u

/* The death of a host's process. */
struct crash_recovery_death {
	bool killed;  /* by SIGKILL */
	bool waiting; /* so, while none of its workers had anything to do */
	unsigned tries;
	unsigned n_begun; /* batches that its workers had begun: it is the fault of one of them */
	const struct slot_history
	    *guilty;	   /* the one of these that has done it too often, or NULL */
	unsigned times;	   /* that it has */
	unsigned stateful; /* the position whose state it had, and is needed; 0: none */
	const char *how;
	char words[STDERR_RELAY_LAST_MAX];
};

/* A batch that a worker of a dead process held. */
struct crash_recovery_claim {
	unsigned worker;
	uint32_t slot; /* from where on its others are looked for */
	uint64_t seq;
	unsigned position;
};

/*
 * Steps from one to the next, the first after {0}; returns its history there, or NULL behind
 * the last. With a parked result a worker has held two.
 */
static struct slot_history *crash_recovery_next(
    const struct crew *crew, unsigned host, struct crash_recovery_claim *claim)
{
	for (; claim->worker < crew->plan.n_workers; claim->worker++, claim->slot = 0) {
		if (crew->plan.workers[claim->worker].host == host &&
		    ring_held_from(
			&crew->region, claim->worker, &claim->slot, &claim->seq, &claim->position))
			return &slot_at(&crew->region, claim->seq)->history[claim->position - 1];
	}
	return NULL;
}

/*
 * A worker that waited to run its batch alone (see worker_host_enter) had not begun; one with a
 * parked answer was through.
 */
static bool crash_recovery_begun(const struct slot_history *history)
{
	return history->attempts != history->lost;
}

static unsigned crash_recovery_count_begun(const struct crew *crew, unsigned host)
{
	unsigned n = 0;
	struct crash_recovery_claim claim = {0};
	const struct slot_history *history;
	while ((history = crash_recovery_next(crew, host, &claim)))
		n += crash_recovery_begun(history);
	return n;
}

static struct slot_deaths *crash_recovery_deaths(
    struct slot_history *history, const struct crash_recovery_death *death)
{
	return death->killed ? &history->kills : &history->crashes;
}

/*
 * Notes the death with each batch that was begun, and finds the guilty one. What was begun
 * alone is to blame. Where a stage that never returns keeps batches from being alone, the
 * guilty one is among those that were there each time; and as each of them was begun a turn
 * after the one before, most likely it is the last.
 */
static void crash_recovery_judge(
    const struct crew *crew, unsigned host, struct crash_recovery_death *death)
{
	bool alone = death->n_begun == 1;
	unsigned bound = alone ? death->tries : RECOVERY_IN_COMPANY * death->tries;
	struct crash_recovery_claim claim = {0};
	struct slot_history *history;
	while ((history = crash_recovery_next(crew, host, &claim))) {
		if (!crash_recovery_begun(history))
			continue;
		struct slot_deaths *deaths = crash_recovery_deaths(history, death);
		unsigned times = alone ? ++deaths->alone : ++deaths->in_company;
		if (times >= bound &&
		    (!death->guilty || history->start_ns > death->guilty->start_ns)) {
			death->guilty = history;
			death->times = times;
		}
	}
}

/* Once one is guilty, the others are not: they were only in its company. */
static void crash_recovery_acquit(
    const struct crew *crew, unsigned host, const struct crash_recovery_death *death)
{
	struct crash_recovery_claim claim = {0};
	struct slot_history *history;
	while (death->guilty && (history = crash_recovery_next(crew, host, &claim)))
		crash_recovery_deaths(history, death)->in_company = 0;
}

/* Whether all of its workers had started well and held nothing. */
static bool crash_recovery_was_waiting(const struct crew *crew, unsigned host)
{
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		uint64_t seq;
		unsigned position;
		if (crew->plan.workers[i].host != host)
			continue;
		/* pairs with: worker_open_tell */
		if (atomic_load_acquire(&worker->state) != WORKER_READY ||
		    ring_held(&crew->region, i, &seq, &position))
			return false;
	}
	return true;
}

/* A batch that has ended its process too often is cut where it did. */
static void crash_recovery_cut(const struct region *region, uint64_t seq, unsigned position,
    const struct crash_recovery_death *death)
{
	struct slot *slot = slot_at(region, seq);
	uint32_t n_records = slot->n_records[slot_input(position)];
	uint32_t at = slot->progress < n_records ? slot->progress : 0;
	char why[160];
	snprintf(why, sizeof(why), "%s, %u times", death->how, death->times);
	slot_cut(region, seq, position, at, why);
	slot_set_last_stderr(slot, death->words);
	slot_shorten_input(region, seq, position, at);
	slot_forget_tries(&slot->history[position - 1]);
}

/* Whether a stage's state was in one of the host's workers, and is needed still. */
static bool crash_recovery_lost_state(const struct crew *crew, unsigned host, unsigned stage)
{
	const struct region_stage *shared = region_stage(&crew->region, stage);
	/* relaxed: its process is dead, nothing is written any more */
	uint32_t owner = atomic_load_relaxed(&shared->owner);
	if (crew->restart_state || owner == OWNER_ANY || crew->plan.workers[owner].host != host ||
	    !atomic_load_relaxed(&shared->has_begun))
		return false;
	/* Where all its records are through, no result depends on the state any more. */
	struct crash_recovery_claim claim = {0};
	while (crash_recovery_next(crew, host, &claim)) {
		if (claim.position == stage + 1)
			return true;
	}
	return !ring_all_claimed(&crew->region, stage + 1, 0);
}

/* The state that a batch needs is gone: the whole batch fails, and nothing behind it runs. */
static void crash_recovery_fail_stateful(const struct region *region, uint64_t seq,
    unsigned position, const struct crash_recovery_death *death)
{
	char why[256];
	snprintf(why, sizeof(why),
	    "%s, and the state it kept is gone (--restart-state begins with a new one)",
	    death->how);
	struct slot *slot = slot_at(region, seq);
	slot_cut(region, seq, position,
	    slot->n_records[slot_input(position)] == 1 ? 0 : SLOT_NO_INDEX, why);
	slot_set_last_stderr(slot, death->words);
	slot_shorten_input(region, seq, position, 0);
}

/* Takes back a batch that a dead worker held. */
static void crash_recovery_take_back(const struct region *region, unsigned worker, uint64_t seq,
    unsigned position, const struct crash_recovery_death *death)
{
	struct slot *slot = slot_at(region, seq);
	struct slot_history *history = &slot->history[position - 1];
	/* It may have died between telling of a failure and its commit: it will tell again. */
	if (slot->failure.stage == position - 1)
		slot_clear_failure(slot);
	history->lost = history->attempts;
	if (position == death->stateful)
		crash_recovery_fail_stateful(region, seq, position, death);
	else if (history == death->guilty)
		crash_recovery_cut(region, seq, position, death);
	/* What it had charged may not be there to be charged: see memory_budget_reserve. */
	slot_give_back(region, seq, slot_output(position));
	(void)ring_take_back(region, seq, position, worker);
}

static uint32_t crash_recovery_commits(const struct crew *crew, unsigned host)
{
	uint32_t commits = 0;
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		/* relaxed: its process is dead, nothing is written any more */
		if (crew->plan.workers[i].host == host)
			commits += atomic_load_relaxed(&worker->commits);
	}
	return commits;
}

/* Each of its workers starts anew; returns whether one of them had refused to start. */
static bool crash_recovery_reset(
    const struct crew *crew, unsigned host, const struct crash_recovery_death *death)
{
	bool refused = false;
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		if (crew->plan.workers[i].host != host)
			continue;
		/* pairs with: worker_open_tell */
		if (atomic_load_acquire(&worker->state) == WORKER_REFUSED)
			refused = true;
		else
			/* relaxed: its process is dead, and the next one not started */
			atomic_store_relaxed(&worker->state, WORKER_STARTING);
	}
	struct crash_recovery_claim claim = {0};
	while (crash_recovery_next(crew, host, &claim))
		crash_recovery_take_back(
		    &crew->region, claim.worker, claim.seq, claim.position, death);
	return refused;
}

/* Of stages that share a process, nobody knows which one it died of. */
static void crash_recovery_describe(
    const struct crew *crew, unsigned host, char *text, size_t capacity)
{
	char how[96];
	unsigned n = 0;
	for (unsigned i = 0; i < crew->plan.n_workers; i++)
		n += crew->plan.workers[i].host == host;
	child_describe(&crew->hosts[host], how, sizeof(how));
	snprintf(text, capacity, "%s%s", n > 1 ? "the process it shares " : "", how);
}

/* How often in a row, deaths of this kind, its processes have died before a batch. */
static unsigned crash_recovery_count_barren(
    struct crew *crew, unsigned host, const struct crash_recovery_death *death)
{
	struct crew_losses *losses = &crew->losses[host];
	uint32_t commits = crash_recovery_commits(crew, host);
	if (death->n_begun > 0 || commits != losses->commits)
		losses->barren[0] = losses->barren[1] = 0;
	/* Whoever kills one that waits, and however often, says nothing about a stage. */
	else if (!death->waiting)
		losses->barren[death->killed]++;
	losses->commits = commits;
	return losses->barren[death->killed];
}

static int crash_recovery_give_up(const struct crew *crew, unsigned host, int status,
    const struct crash_recovery_death *death, const char *when, struct leat_error *reterr)
{
	return failure(reterr, status, -ECHILD, "stage '%s': %s%s%s%s",
	    host_process_name(crew, host), death->how, when,
	    death->words[0] ? SLOT_LAST_STDERR : "", death->words);
}

/* Returns whether the process held a batch of the stage whose state it took with it. */
static bool crash_recovery_find_stateful(
    const struct crew *crew, unsigned host, struct crash_recovery_death *death)
{
	bool holds = false;
	for (unsigned i = 0; i < crew->plan.n_stages && !holds; i++) {
		if (!crash_recovery_lost_state(crew, host, i))
			continue;
		death->stateful = i + 1;
		struct crash_recovery_claim claim = {0};
		while (!holds && crash_recovery_next(crew, host, &claim))
			holds = claim.position == i + 1;
	}
	return holds;
}

int crash_recovery_host_died(struct crew *crew, unsigned host, struct leat_error *reterr)
{
	struct crew_losses *losses = &crew->losses[host];
	int status = crew->hosts[host].status;
	struct crash_recovery_death death = {
	    .killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	    .n_begun = crash_recovery_count_begun(crew, host),
	    .how = losses->how,
	};
	death.waiting = death.killed && crash_recovery_was_waiting(crew, host);
	death.tries = death.killed ? RETRY_COUNT_KILLED : RETRY_COUNT_CRASHED;
	stderr_relay_last_lines(&crew->relays[host], death.words);
	crash_recovery_describe(crew, host, losses->how, sizeof(losses->how));
	bool holds_stateful = crash_recovery_find_stateful(crew, host, &death);
	crash_recovery_judge(crew, host, &death);
	crash_recovery_acquit(crew, host, &death);
	bool refused = crash_recovery_reset(crew, host, &death);
	/* Also where nothing was held: the last wake-up may be what it died before. */
	ring_wake_all(&crew->region);
	/* crew_ready tells why a worker refused. */
	if (refused)
		return 0;
	if (death.stateful > 0 && !holds_stateful)
		return failure(reterr, LEAT_STOPPED, -ECHILD,
		    "stage '%s': %s, and the state it kept is gone (--restart-state begins with a "
		    "new one)%s%s",
		    region_stage(&crew->region, death.stateful - 1)->name, death.how,
		    death.words[0] ? SLOT_LAST_STDERR : "", death.words);
	unsigned barren = crash_recovery_count_barren(crew, host, &death);
	if (!crew->working && !death.killed)
		return crash_recovery_give_up(
		    crew, host, LEAT_CANNOT_START, &death, " before it was ready", reterr);
	if (barren >= death.tries) {
		char when[64];
		snprintf(when, sizeof(when), ", %u times in a row before it did anything", barren);
		return crash_recovery_give_up(crew, host, LEAT_STOPPED, &death, when, reterr);
	}
	if (!host_process_is_wanted(crew, host)) {
		host_process_defer(crew, host);
		return 0;
	}
	losses->restarts++;
	return host_process_start(crew, host, reterr);
}
