/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_batch.h"

#include "atomic.h"
#include "claim.h"
#include "clock.h"
#include "crash_handler.h"
#include "forked.h"
#include "memory_budget.h"
#include "oneshot_stage.h"
#include "slot.h"
#include "wakeup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Commits what is in the output area; its time is noted already. */
static int worker_batch_commit(struct leat_worker *worker, uint64_t seq, unsigned position,
    enum leat_kind kind, uint64_t size, uint32_t n_records)
{
	struct region *region = worker_region(worker);
	struct slot *slot = slot_at(region, seq);
	slot->history[position - 1].records_out = n_records;
	slot_set_output(slot, slot_output(position), kind, size, n_records);
	/* relaxed: the supervisor only asks whether it has changed */
	atomic_add_relaxed(&region_worker(region, worker->index)->commits, 1);
	int (*commit)(const struct region *, uint64_t, unsigned, unsigned) =
	    worker->group == WORKER_CARRIER ? ring_commit_quietly : ring_commit;
	return commit(region, seq, position, worker->index);
}

/* Commits the parked result, if it fits by now. */
void worker_batch_hand_on(struct leat_worker *worker)
{
	struct parked_result *parked = &worker->parked;
	unsigned area = slot_output(parked->position);
	if (!parked->data ||
	    !memory_budget_reserve_or_await(worker_region(worker), parked->seq, area, parked->size))
		return;
	slot_at(worker_region(worker), parked->seq)->history[parked->position - 1].attempts++;
	memcpy(slot_area(worker_region(worker), parked->seq, area), parked->data, parked->size);
	(void)worker_batch_commit(
	    worker, parked->seq, parked->position, parked->kind, parked->size, parked->n_records);
	free(parked->data);
	*parked = (struct parked_result){0};
}

static void worker_batch_begin(struct leat_worker *worker)
{
	struct slot *slot = slot_at(worker_region(worker), worker->seq);
	struct slot_history *history = &slot->history[worker->held->position - 1];
	worker->entered = worker_host_enter(worker->host, history->attempts > 0);
	history->start_ns = clock_wall_ns();
	/* crash_recovery_judge tells by it whether the batch was begun. */
	history->attempts++;
	slot->progress = 0;
	history->worker = worker->index;
	history->records_in = slot->n_records[slot_input(worker->held->position)];
	worker->cpu_ns = clock_cpu_ns();
	worker->child_cpu_ns = 0;
}

/* The stage is done with the batch. Returns its position; the worker holds it no more. */
static unsigned worker_batch_stop_clock(struct leat_worker *worker)
{
	struct slot *slot = slot_at(worker_region(worker), worker->seq);
	unsigned position = worker->held->position;
	struct slot_history *history = &slot->history[position - 1];
	history->cpu_ns = clock_cpu_ns() - worker->cpu_ns + worker->child_cpu_ns;
	history->end_ns = clock_wall_ns();
	worker->held = NULL;
	return position;
}

/* Ends the claim with what is in the output area. */
static int worker_batch_end(
    struct leat_worker *worker, enum leat_kind kind, uint64_t size, uint32_t n_records)
{
	unsigned position = worker_batch_stop_clock(worker);
	int r = worker_batch_commit(worker, worker->seq, position, kind, size, n_records);
	worker_host_leave(worker->host, worker->entered);
	return r;
}

/*
 * Parks an answer until it fits. Only with a batch that is not the oldest, and from
 * then on it claims only the oldest, so there is never a second one.
 */
static int worker_batch_park_result(struct leat_worker *worker, enum leat_kind kind,
    const void *data, uint64_t size, uint32_t n_records)
{
	void *copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	unsigned position = worker_batch_stop_clock(worker);
	/* It ended well: if the worker dies now, then not of this batch. */
	slot_at(worker_region(worker), worker->seq)->history[position - 1].attempts--;
	worker->parked = (struct parked_result){copy, size, worker->seq, position, kind, n_records};
	worker_host_leave(worker->host, worker->entered);
	return 0;
}

/* The claim goes back, and the batch is run again: it was not a death. */
static void worker_batch_give_back(struct leat_worker *worker)
{
	struct slot *slot = slot_at(worker_region(worker), worker->seq);
	unsigned position = worker->held->position;
	slot->history[position - 1].attempts--;
	worker->held = NULL;
	ring_give_back(worker_region(worker), worker->seq, position, worker->index);
	worker_host_leave(worker->host, worker->entered);
}

/*
 * Waits until the output may be as large as that. All batches before it are past this
 * stage and need no worker that waits like this: its group has no other stage, or it is
 * single mode's only worker, which has taken each of them to the sink. Returns false when
 * the run is over.
 */
static bool worker_batch_wait_for_memory(struct leat_worker *worker, uint64_t size)
{
	const struct region *region = worker_region(worker);
	uint32_t *word = region_wait_word(region, worker->group);
	unsigned area = slot_output(worker->held->position);
	while (!ring_stopped(region)) {
		uint32_t key = wakeup_prepare(word);
		if (memory_budget_reserve_or_await(worker_region(worker), worker->seq, area, size))
			return true;
		if (ring_stopped(region))
			break;
		wakeup_sleep(word, key);
	}
	return false;
}

/* A c_call_grow of a worker. */
static int worker_batch_grow(void *context, size_t size, size_t *ret_capacity)
{
	struct leat_worker *worker = context;
	const struct region *region = worker_region(worker);
	unsigned area = slot_output(worker->held->position);
	uint64_t most = region->header->area_capacity;
	if (size > most)
		return -ENOSPC;
	/* Some more at a time, so that it is not asked for at every record. */
	uint64_t more = size + size / 8 < most ? size + size / 8 : most;
	bool stateless = region_stage(region, worker->held->position - 1)->is_stateless;
	if (!memory_budget_reserve(region, worker->seq, area, more) &&
	    !memory_budget_reserve(region, worker->seq, area, size) &&
	    (stateless || !worker_batch_wait_for_memory(worker, size)))
		return -EAGAIN;
	*ret_capacity = memory_budget_room(region, worker->seq, area);
	return 0;
}

/*
 * What the batch should be for the stage behind: its type, if this one gives it.
 * Every number must be a record that the limit allows, as it would be as text.
 */
static enum leat_kind worker_batch_wanted(const struct leat_worker *worker)
{
	const struct region *region = worker_region(worker);
	unsigned stage = worker->held->position - 1;
	if (stage + 1 == region->header->n_stages || region->header->max_record < BATCH_NUMBER_MAX)
		return LEAT_RECORDS;
	uint32_t gives = worker_said(&region_stage(region, stage)->gives);
	uint32_t takes = worker_said(&region_stage(region, stage + 1)->takes);
	return gives == takes ? (enum leat_kind)gives : LEAT_RECORDS;
}

static bool worker_batch_is_careful(const struct leat_worker *worker)
{
	const struct slot *slot = slot_at(worker_region(worker), worker->seq);
	return slot->history[worker->held->position - 1].attempts > 1;
}

static void worker_batch_crashed(
    struct leat_worker *worker, const struct c_call_output *output, int number)
{
	char why[128];
	/* What it kept on the stack is gone. */
	forked_bound(NULL);
	if (number == CRASH_EXIT)
		snprintf(why, sizeof(why), "called exit(%d)", crash_handler_exit_status());
	else
		snprintf(why, sizeof(why),
		    "crashed with SIG%s (-m processes gives it a process of its own)",
		    sigabbrev_np(number));
	c_call_crashed(c_function_stage(worker->held->native), output, &worker->result, why);
}

/* Where the batch that is held goes. */
static struct c_call_output worker_batch_output(struct leat_worker *worker)
{
	const struct region *region = worker_region(worker);
	struct slot *slot = slot_at(region, worker->seq);
	unsigned area = slot_output(worker->held->position);
	return (struct c_call_output){
	    .data = slot_area(region, worker->seq, area),
	    .capacity = memory_budget_room(region, worker->seq, area),
	    .most = region->header->area_capacity,
	    .grow = worker_batch_grow,
	    .context = worker,
	    .frame = (enum leat_frame)region->header->frame,
	    .max_record = region->header->max_record,
	    .wanted = worker_batch_wanted(worker),
	    .progress = worker_batch_is_careful(worker) ? &slot->progress : NULL,
	};
}

/* Ends the claim with what the batch came to. */
static void worker_batch_finish(struct leat_worker *worker)
{
	const struct c_call_result *result = &worker->result;
	if (result->later) {
		worker_batch_give_back(worker);
		return;
	}
	if (result->why[0])
		slot_cut(worker_region(worker), worker->seq, worker->held->position, result->failed,
		    result->why);
	(void)worker_batch_end(worker, result->kind, result->size, result->n_records);
}

/* A batch of a command. When the run is over, its claim stays as it is. */
static void worker_batch_run_command(struct leat_worker *worker)
{
	struct region *region = worker_region(worker);
	const struct slot *slot = slot_at(region, worker->seq);
	unsigned position = worker->held->position;
	struct batch batch = slot_batch(region, worker->seq, slot_input(position));
	struct c_call_output output = worker_batch_output(worker);
	uint64_t last = slot->first_record + slot->n_source_records - 1;
	if (oneshot_stage_batch(worker->held->command, &batch, slot->first_record, last,
		slot_is_exact(slot, position - 1), &output, &worker->result,
		&worker->child_cpu_ns) == 0)
		worker_batch_finish(worker);
	else
		worker_host_leave(worker->host, worker->entered);
}

static void worker_batch_run_native(struct leat_worker *worker)
{
	struct region *region = worker_region(worker);
	struct batch batch = slot_batch(region, worker->seq, slot_input(worker->held->position));
	struct c_call_output output = worker_batch_output(worker);
	struct c_call_result *result = &worker->result;
	int number = sigsetjmp(*crash_handler_point(), 0);
	if (number == 0) {
		crash_handler_arm();
		c_call_batch(c_function_stage(worker->held->native), &batch, &output, result);
		crash_handler_disarm();
	} else {
		worker_batch_crashed(worker, &output, number);
	}
	worker_batch_finish(worker);
}

/* Returns 1 with a batch of a foreign stage, or 0 when the batch has been run and committed. */
int worker_batch_run(struct leat_worker *worker, struct leat_batch *ret_batch)
{
	struct region *region = worker_region(worker);
	struct batch batch = slot_batch(region, worker->seq, slot_input(worker->held->position));
	worker_batch_begin(worker);
	if (batch.n_records == 0) {
		/* All dropped, or cut before its first: it only keeps its place. */
		(void)worker_batch_end(worker, LEAT_RECORDS, 0, 0);
		return 0;
	}
	if (worker->held->native) {
		worker_batch_run_native(worker);
		return 0;
	}
	if (worker->held->command) {
		worker_batch_run_command(worker);
		return 0;
	}
	/* relaxed: read only once this process has died */
	atomic_store_relaxed(&region_stage(region, worker->held->position - 1)->has_begun, 1);
	*ret_batch = (struct leat_batch){
	    .stage = worker->held->position - 1,
	    .n_records = batch.n_records,
	    .kind = batch.kind,
	    .wanted = worker_batch_wanted(worker),
	    .careful = worker_batch_is_careful(worker),
	    .data = batch.data,
	    .size = batch.size,
	};
	return 1;
}

void leat_worker_at(struct leat_worker *worker, uint32_t index)
{
	if (worker->held)
		slot_at(worker_region(worker), worker->seq)->progress = index;
}

int leat_worker_commit(struct leat_worker *worker, enum leat_kind kind, const void *data,
    uint64_t size, uint32_t n_records)
{
	struct region *region = worker_region(worker);
	forked_check();
	if (!worker->held)
		return -EINVAL;
	if (size > region->header->area_capacity)
		return -EMSGSIZE;
	unsigned area = slot_output(worker->held->position);
	if (!memory_budget_reserve_or_await(worker_region(worker), worker->seq, area, size))
		return worker_batch_park_result(worker, kind, data, size, n_records);
	if (size > 0)
		memcpy(slot_area(region, worker->seq, area), data, size);
	return worker_batch_end(worker, kind, size, n_records);
}

int leat_worker_fail(struct leat_worker *worker, enum leat_kind kind, const void *data,
    uint64_t size, uint32_t n_records, uint32_t index, const char *why)
{
	if (!worker->held)
		return -EINVAL;
	if (size > worker_region(worker)->header->area_capacity)
		return -EMSGSIZE;
	slot_cut(worker_region(worker), worker->seq, worker->held->position, index, why);
	return leat_worker_commit(worker, kind, data, size, n_records);
}
