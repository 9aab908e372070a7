/* SPDX-License-Identifier: Apache-2.0 */
#include "role.h"

#include "atomic.h"
#include "check.h"
#include "claim.h"
#include "content.h"
#include "memory_budget.h"
#include "random.h"
#include "slot.h"
#include "wakeup.h"
#include "worker_limit.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

static void role_delay(struct role *role)
{
	const struct timespec nap = {.tv_nsec = (long)random_below(&role->random, 50 * 1000)};
	if (random_below(&role->random, 100) >= role->round->delay)
		return;
	if (random_below(&role->random, 2))
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

static void source_fill(struct round *round, uint64_t seq)
{
	const struct region *region = &round->region;
	struct slot *slot = slot_at(region, seq);
	size_t size = content_make(
	    round->seed, round->size_bits, seq, slot_area(region, seq, slot_output(0)));
	check_once(round, 0, seq);
	slot->first_record = seq + 1;
	slot_set_output(slot, slot_output(0), LEAT_RECORDS, size, 1);
	slot_clear_failure(slot);
	for (uint32_t i = 0; i < round->n_stages; i++)
		slot_forget_tries(&slot->history[i]);
	ring_advance(region, seq, 0);
}

static bool source_wait(struct round *round, uint64_t seq)
{
	const struct region *region = &round->region;
	uint32_t *word = region_wait_word(region, GROUP_SOURCE);
	size_t size = content_size(round->seed, round->size_bits, seq);
	while (!ring_stopped(region)) {
		uint32_t key = wakeup_prepare(word);
		if (ring_is_ready(region, seq, 0) &&
		    memory_budget_reserve(region, seq, slot_output(0), size))
			return true;
		if (ring_stopped(region))
			break;
		wakeup_sleep(word, key);
	}
	return false;
}

static void source_run(struct role *role)
{
	struct round *round = role->round;
	uint64_t seq = 0;
	while (seq < round->n_batches && source_wait(round, seq)) {
		role_delay(role);
		source_fill(round, seq++);
	}
	ring_end(&round->region, seq);
}

/* As a supervisor does for a worker that died in the middle of its output. */
static void worker_die(struct role *role, unsigned position, uint64_t seq)
{
	const struct region *region = &role->round->region;
	memset(slot_area(region, seq, slot_output(position)), 0x5a, 100);
	slot_set_output(slot_at(region, seq), slot_output(position), LEAT_RECORDS, 77, 1);
	check_leave(role->round, position);
	if (!ring_take_back(region, seq, position, role->worker))
		round_fail(role->round, "position %u: batch %llu cannot be taken back", position,
		    (unsigned long long)seq);
	/* The one that was thought dead comes too late. */
	if (ring_commit(region, seq, position, role->worker) != -ESTALE)
		round_fail(role->round, "position %u: batch %llu is committed by the dead",
		    position, (unsigned long long)seq);
}

static void worker_do(struct role *role, unsigned position, uint64_t seq)
{
	struct round *round = role->round;
	const struct region *region = &round->region;
	struct slot *slot = slot_at(region, seq);
	unsigned input = slot_input(position);
	unsigned output = slot_output(position);
	check_enter(round, position, role->worker);
	check_held(round, position, seq, role->worker);
	struct slot_history *history = &slot->history[position - 1];
	history->attempts++;
	history->worker = role->worker;
	role_delay(role);
	if (random_below(&role->random, 1000) < round->deaths) {
		worker_die(role, position, seq);
		return;
	}
	if (!memory_budget_reserve(region, seq, output, slot->size[input] + 1)) {
		history->attempts--;
		check_leave(round, position);
		ring_give_back(region, seq, position, role->worker);
		return;
	}
	size_t size = content_change(position, slot_area(region, seq, input), slot->size[input],
	    slot_area(region, seq, output));
	slot_set_output(slot, output, LEAT_RECORDS, size, 1);
	check_once(round, position, seq);
	check_leave(round, position);
	if (ring_commit(region, seq, position, role->worker) < 0)
		round_fail(round, "position %u: the commit of batch %llu is stale", position,
		    (unsigned long long)seq);
}

/* As the product's worker does it: the latest position first. */
static bool worker_claim(struct role *role, uint64_t *next, unsigned *ret_position, uint64_t *seq)
{
	const struct round *round = role->round;
	for (unsigned position = round->n_stages; position > 0; position--) {
		bool stateless = round->stateless[position - 1];
		if (round->groups[position - 1] == round->worker_groups[role->worker] &&
		    (stateless ? ring_claim_any : ring_claim)(
			&round->region, position, role->worker, &next[position], seq)) {
			*ret_position = position;
			return true;
		}
	}
	return false;
}

static void worker_run(struct role *role)
{
	const struct region *region = &role->round->region;
	uint64_t next[ROUND_STAGES_MAX + 1] = {0};
	uint64_t seq;
	unsigned position;
	unsigned group = role->round->worker_groups[role->worker];
	unsigned rank = region_rank(region, role->worker);
	uint32_t *word = region_wait_word(region, group);
	while (!ring_stopped(region)) {
		if (!worker_limit_allows(region, group, rank)) {
			worker_limit_park(region, group, rank);
			continue;
		}
		if (worker_claim(role, next, &position, &seq)) {
			worker_do(role, position, seq);
			continue;
		}
		uint32_t key = wakeup_prepare(word);
		if (ring_stopped(region))
			break;
		if (worker_claim(role, next, &position, &seq))
			worker_do(role, position, seq);
		else
			wakeup_sleep(word, key);
	}
}

/* As the product's balance does it, in the sink's thread. */
static void sink_change_limit(struct role *role)
{
	struct round *round = role->round;
	if (random_below(&role->random, 1000) >= round->changes)
		return;
	unsigned worker = (unsigned)random_below(&role->random, round->n_workers);
	worker_limit_set(&round->region, round->worker_groups[worker],
	    1 + (uint32_t)random_below(&role->random, ROUND_GROUP_WORKERS_MAX));
}

static bool sink_wait(struct round *round, uint64_t seq)
{
	const struct region *region = &round->region;
	uint32_t *word = region_wait_word(region, GROUP_SINK);
	for (;;) {
		uint32_t key = wakeup_prepare(word);
		if (ring_is_ready(region, seq, region_sink(region)))
			return true;
		if (seq >= ring_end_seq(region))
			return false;
		wakeup_sleep(word, key);
	}
}

static void sink_run(struct role *role)
{
	struct round *round = role->round;
	uint64_t seq = 0;
	while (seq < round->stop_at && sink_wait(round, seq)) {
		role_delay(role);
		check_once(round, region_sink(&round->region), seq);
		check_content(round, seq);
		check_memory(round);
		slot_trim(&round->region, seq);
		memory_budget_move_on(&round->region, seq + 1);
		ring_advance(&round->region, seq++, region_sink(&round->region));
		sink_change_limit(role);
		/* Only looked at for whether it changes. */
		atomic_store_relaxed(&round->shared->retired, seq);
	}
	if (seq < round->n_batches && seq < round->stop_at)
		round_fail(round, "the ring ended after %llu batches", (unsigned long long)seq);
	ring_stop(&round->region);
}

void role_run(struct role *role)
{
	if (role->is_worker)
		worker_run(role);
	else if (role->is_sink)
		sink_run(role);
	else
		source_run(role);
}
