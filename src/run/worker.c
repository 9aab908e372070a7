/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one worker loop, of every mode: claim a batch at the latest position that the
 * worker can run, run it, commit it, look again. A worker that runs the whole chain
 * is `single`; one a stage is `threads` or `processes`.
 *
 * A batch whose worker has died is claimed again by another, who is careful with it: it
 * notes in the slot which record it is at, so that a record that kills every worker can
 * be named.
 *
 * A batch may give more than there is memory for now (see budget.h). What is done then
 * depends on who ran it: a stateless C function's claim is given back, and the batch run
 * again when it is the oldest; any other C function waits in the middle of it; and what
 * Python gave, which is complete in its own memory, is set aside until it fits.
 */
#include "worker.h"
#include "atomic.h"
#include "budget.h"
#include "call.h"
#include "claim.h"
#include "clock.h"
#include "crash.h"
#include "each.h"
#include "failure.h"
#include "fd.h"
#include "host.h"
#include "limit.h"
#include "line.h"
#include "native.h"
#include "notify.h"
#include "slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct worker_stage {
	unsigned position;
	uint64_t next;		  /* hint for ring_claim */
	struct native *native;	  /* a C function; */
	struct launcher *command; /* or a command; both NULL: foreign, the caller runs it */
	unsigned stands_for;	  /* a carrier's: the worker in whose name it claims */
};

/* An answer that is set aside; the claim is held all the while. */
struct worker_aside {
	void *data; /* owned; NULL: there is none */
	uint64_t size;
	uint64_t seq;
	unsigned position;
	enum leat_kind kind;
	uint32_t n_records;
};

struct leat_worker {
	struct leat_host *host;
	unsigned index;
	unsigned group; /* a carrier's: WORKER_CARRIER */
	unsigned rank;	/* in its group; see limit.h */
	unsigned n_stages;
	struct worker_stage stages[REGION_STAGES_MAX]; /* by position, ascending */
	/* The batch that is held; valid while `held` is set. */
	struct worker_stage *held;
	bool entered; /* see host_enter */
	uint64_t seq;
	uint64_t cpu_ns;	   /* this thread's, at the claim */
	uint64_t child_cpu_ns;	   /* of the processes that it has started since */
	struct call_result result; /* here, as a crash must not take it away */
	struct worker_aside aside;
};

/* Not a group: it works at every position. */
#define WORKER_CARRIER UINT32_MAX

static struct region *worker_region(const struct leat_worker *worker)
{
	return &worker->host->region;
}

static void worker_tell(struct leat_worker *worker, uint32_t state)
{
	/* pairs with: crew_ready, recovery_reset: the text in `why` */
	atomic_store_release(&region_worker(worker_region(worker), worker->index)->state, state);
	fd_ring(worker->host->bell);
}

void leat_worker_ready(struct leat_worker *worker)
{
	worker_tell(worker, WORKER_READY);
}

void leat_worker_refuse(struct leat_worker *worker, const char *why)
{
	struct region_worker *entry = region_worker(worker_region(worker), worker->index);
	strncpy(entry->why, why, sizeof(entry->why) - 1);
	worker_tell(worker, WORKER_REFUSED);
}

/* The first worker that has this stage. */
static unsigned worker_first_of(const struct region *region, const struct region_stage *stage)
{
	unsigned worker = 0;
	while (region_worker(region, worker)->group != stage->group)
		worker++;
	return worker;
}

static int worker_load_native(
    struct leat_worker *worker, struct worker_stage *mine, struct leat_error *reterr)
{
	unsigned number = mine->position - 1;
	const struct region_stage *stage = region_stage(worker_region(worker), number);
	int r = native_open(stage->target, stage->function, stage->name, &mine->native, reterr);
	if (r < 0)
		return r;
	enum leat_kind kind = call_kind(native_stage(mine->native));
	leat_worker_kinds(worker, number, kind, kind);
	return 0;
}

static int worker_load_command(
    struct leat_worker *worker, struct worker_stage *mine, struct leat_error *reterr)
{
	const struct region *region = worker_region(worker);
	if (!worker->host->commands || worker->group == WORKER_CARRIER)
		return -ENOTSUP;
	mine->command = calloc(1, sizeof(*mine->command));
	if (!mine->command)
		return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
	return launcher_open(mine->command, region, mine->position - 1, worker->index,
	    worker->host->commands, reterr);
}

static int worker_load(struct leat_worker *worker, struct leat_error *reterr)
{
	const struct region *region = worker_region(worker);
	int r = 0;
	for (unsigned i = 0; i < region->header->n_stages && r == 0; i++) {
		const struct region_stage *stage = region_stage(region, i);
		if (stage->group != worker->group && worker->group != WORKER_CARRIER)
			continue;
		struct worker_stage *mine = &worker->stages[worker->n_stages++];
		mine->position = i + 1;
		if (stage->kind == STAGE_C)
			r = worker_load_native(worker, mine, reterr);
		else if (region_kind_is_command(stage->kind))
			r = worker_load_command(worker, mine, reterr);
	}
	return r;
}

int leat_worker_open(struct leat_host *host, unsigned nth, struct leat_worker **ret_worker)
{
	int index = host_worker(host, nth);
	if (index < 0)
		return index;
	struct leat_worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return -ENOMEM;
	struct region_worker *entry = region_worker(&host->region, (unsigned)index);
	worker->host = host;
	worker->index = (unsigned)index;
	worker->group = entry->group;
	worker->rank = region_rank(&host->region, worker->index);
	entry->pid = (uint32_t)getpid();
	struct leat_error error = {0};
	int r = worker_load(worker, &error);
	if (r < 0) {
		leat_worker_refuse(worker, error.text);
		leat_worker_close(worker);
	} else {
		*ret_worker = worker;
	}
	return r;
}

struct leat_worker *leat_worker_close(struct leat_worker *worker)
{
	if (!worker)
		return NULL;
	for (unsigned i = 0; i < worker->n_stages; i++) {
		native_close(worker->stages[i].native);
		if (worker->stages[i].command)
			launcher_close(worker->stages[i].command);
		free(worker->stages[i].command);
	}
	free(worker->aside.data);
	free(worker);
	return NULL;
}

int leat_worker_foreign(
    const struct leat_worker *worker, unsigned index, struct leat_foreign *ret_foreign)
{
	for (unsigned i = 0; i < worker->n_stages; i++) {
		if (worker->stages[i].native || worker->stages[i].command || index-- != 0)
			continue;
		unsigned number = worker->stages[i].position - 1;
		const struct region_stage *stage = region_stage(worker_region(worker), number);
		*ret_foreign = (struct leat_foreign){
		    .stage = number,
		    .is_module = stage->kind == STAGE_PYTHON_MODULE,
		    .name = stage->name,
		    .target = stage->target,
		    .function = stage->function,
		};
		return 0;
	}
	return -ENOENT;
}

void leat_worker_kinds(
    struct leat_worker *worker, uint32_t stage, enum leat_kind takes, enum leat_kind gives)
{
	/* Every worker of a stage says the same, and nobody reads it before its first is ready. */
	atomic_store_relaxed(&region_stage(worker_region(worker), stage)->takes, takes);
	atomic_store_relaxed(&region_stage(worker_region(worker), stage)->gives, gives);
}

int leat_worker_stateful(struct leat_worker *worker, uint32_t stage)
{
	struct region *region = worker_region(worker);
	if (region_stage(region, stage)->is_replicated)
		return -EINVAL;
	/* As leat_worker_kinds. */
	atomic_store_relaxed(&region_stage(region, stage)->is_serial, 1);
	atomic_store_relaxed(&region_stage(region, stage)->owner,
	    worker_first_of(region, region_stage(region, stage)));
	return 0;
}

/*
 * What the workers of a stage have said of it. relaxed: its first was ready before the first
 * batch came, and one that is started later only says the same again.
 */
static uint32_t worker_said(const uint32_t *what)
{
	return atomic_load_relaxed(what);
}

static bool worker_claim_at(struct leat_worker *worker, struct worker_stage *mine)
{
	const struct region *region = worker_region(worker);
	const struct region_stage *stage = region_stage(region, mine->position - 1);
	uint32_t owner = worker_said(&stage->owner);
	if (owner != OWNER_ANY && owner != worker->index)
		return false;
	/* With an answer set aside it takes only what cannot come to that. */
	if (worker->aside.data) {
		worker->seq = budget_oldest(region);
		if (!ring_claim_this(region, worker->seq, mine->position, worker->index))
			return false;
		worker->held = mine;
		return true;
	}
	bool (*claim)(const struct region *, unsigned, unsigned, uint64_t *, uint64_t *) =
	    worker_said(&stage->is_serial) ? ring_claim : ring_claim_any;
	if (!claim(region, mine->position, worker->index, &mine->next, &worker->seq))
		return false;
	worker->held = mine;
	return true;
}

static bool worker_reserve(struct leat_worker *worker, uint64_t seq, unsigned area, uint64_t size)
{
	const struct region *region = worker_region(worker);
	return budget_reserve(region, seq, area, size) ||
	       (budget_await(region, seq) && budget_reserve(region, seq, area, size));
}

/* Commits what is in the output area; its time is noted already. */
static int worker_commit(struct leat_worker *worker, uint64_t seq, unsigned position,
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

/* Hands on what was set aside, if it fits by now. */
static void worker_hand_on(struct leat_worker *worker)
{
	struct worker_aside *aside = &worker->aside;
	unsigned area = slot_output(aside->position);
	if (!aside->data || !worker_reserve(worker, aside->seq, area, aside->size))
		return;
	slot_at(worker_region(worker), aside->seq)->history[aside->position - 1].attempts++;
	memcpy(slot_area(worker_region(worker), aside->seq, area), aside->data, aside->size);
	(void)worker_commit(
	    worker, aside->seq, aside->position, aside->kind, aside->size, aside->n_records);
	free(aside->data);
	*aside = (struct worker_aside){0};
}

/* Latest position first; but before that what no other worker can do. */
static bool worker_claim(struct leat_worker *worker)
{
	const struct region *region = worker_region(worker);
	worker_hand_on(worker);
	for (unsigned owned = 0; owned < 2; owned++) {
		for (unsigned i = worker->n_stages; i-- > 0;) {
			struct worker_stage *mine = &worker->stages[i];
			const struct region_stage *stage = region_stage(region, mine->position - 1);
			uint32_t owner = worker_said(&stage->owner);
			if ((owner == OWNER_ANY) == (owned == 1) && worker_claim_at(worker, mine))
				return true;
		}
	}
	return false;
}

/* Returns true with a claimed batch, false when the run is over. */
static bool worker_wait(struct leat_worker *worker)
{
	struct region *region = worker_region(worker);
	uint32_t *word = region_wait_word(region, worker->group);
	while (!ring_stopped(region)) {
		/* One that holds an answer must be there when it fits. */
		if (!worker->aside.data && !limit_allows(region, worker->group, worker->rank)) {
			limit_park(region, worker->group, worker->rank);
			continue;
		}
		if (worker_claim(worker))
			return true;
		uint32_t key = notify_prepare(word);
		if (ring_stopped(region))
			break;
		if (worker_claim(worker))
			return true;
		notify_sleep(word, key);
	}
	return false;
}

static void worker_begin(struct leat_worker *worker)
{
	struct slot *slot = slot_at(worker_region(worker), worker->seq);
	struct slot_history *history = &slot->history[worker->held->position - 1];
	worker->entered = host_enter(worker->host, history->attempts > 0);
	history->start_ns = clock_wall_ns();
	/* recovery_judge tells by it whether the batch was begun. */
	history->attempts++;
	slot->progress = 0;
	history->worker = worker->index;
	history->records_in = slot->n_records[slot_input(worker->held->position)];
	worker->cpu_ns = clock_cpu_ns();
	worker->child_cpu_ns = 0;
}

/* The stage is done with the batch. Returns its position; the worker holds it no more. */
static unsigned worker_stop_clock(struct leat_worker *worker)
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
static int worker_end(
    struct leat_worker *worker, enum leat_kind kind, uint64_t size, uint32_t n_records)
{
	unsigned position = worker_stop_clock(worker);
	int r = worker_commit(worker, worker->seq, position, kind, size, n_records);
	host_leave(worker->host, worker->entered);
	return r;
}

/*
 * Sets an answer aside until it fits. Only with a batch that is not the oldest, and from
 * then on it claims only the oldest, so there is never a second one.
 */
static int worker_set_aside(struct leat_worker *worker, enum leat_kind kind, const void *data,
    uint64_t size, uint32_t n_records)
{
	void *copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	unsigned position = worker_stop_clock(worker);
	/* It ended well: if the worker dies now, then not of this batch. */
	slot_at(worker_region(worker), worker->seq)->history[position - 1].attempts--;
	worker->aside = (struct worker_aside){copy, size, worker->seq, position, kind, n_records};
	host_leave(worker->host, worker->entered);
	return 0;
}

/* The claim goes back, and the batch is run again: it was not a death. */
static void worker_give_back(struct leat_worker *worker)
{
	struct slot *slot = slot_at(worker_region(worker), worker->seq);
	unsigned position = worker->held->position;
	slot->history[position - 1].attempts--;
	worker->held = NULL;
	ring_give_back(worker_region(worker), worker->seq, position, worker->index);
	host_leave(worker->host, worker->entered);
}

/*
 * Waits until the output may be as large as that. All batches before it are past this
 * stage and need no worker that waits like this: its group has no other stage, or it is
 * single mode's only worker, which has taken each of them to the sink. Returns false when
 * the run is over.
 */
static bool worker_wait_for_memory(struct leat_worker *worker, uint64_t size)
{
	const struct region *region = worker_region(worker);
	uint32_t *word = region_wait_word(region, worker->group);
	unsigned area = slot_output(worker->held->position);
	while (!ring_stopped(region)) {
		uint32_t key = notify_prepare(word);
		if (worker_reserve(worker, worker->seq, area, size))
			return true;
		if (ring_stopped(region))
			break;
		notify_sleep(word, key);
	}
	return false;
}

/* A call_grow of a worker. */
static int worker_grow(void *context, size_t size, size_t *ret_capacity)
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
	if (!budget_reserve(region, worker->seq, area, more) &&
	    !budget_reserve(region, worker->seq, area, size) &&
	    (stateless || !worker_wait_for_memory(worker, size)))
		return -EAGAIN;
	*ret_capacity = budget_room(region, worker->seq, area);
	return 0;
}

/*
 * What the batch should be for the stage behind: its type, if this one gives it.
 * Every number must be a record that the limit allows, as it would be as text.
 */
static enum leat_kind worker_wanted(const struct leat_worker *worker)
{
	const struct region *region = worker_region(worker);
	unsigned stage = worker->held->position - 1;
	if (stage + 1 == region->header->n_stages || region->header->max_record < BATCH_NUMBER_MAX)
		return LEAT_RECORDS;
	uint32_t gives = worker_said(&region_stage(region, stage)->gives);
	uint32_t takes = worker_said(&region_stage(region, stage + 1)->takes);
	return gives == takes ? (enum leat_kind)gives : LEAT_RECORDS;
}

static bool worker_is_careful(const struct leat_worker *worker)
{
	const struct slot *slot = slot_at(worker_region(worker), worker->seq);
	return slot->history[worker->held->position - 1].attempts > 1;
}

static void worker_crashed(struct leat_worker *worker, const struct call_output *output, int number)
{
	char why[128];
	snprintf(why, sizeof(why),
	    "crashed with SIG%s (-m processes gives it a process of its own)",
	    sigabbrev_np(number));
	call_crashed(native_stage(worker->held->native), output, &worker->result, why);
}

/* Where the batch that is held goes. */
static struct call_output worker_output(struct leat_worker *worker)
{
	const struct region *region = worker_region(worker);
	struct slot *slot = slot_at(region, worker->seq);
	unsigned area = slot_output(worker->held->position);
	return (struct call_output){
	    .data = slot_area(region, worker->seq, area),
	    .capacity = budget_room(region, worker->seq, area),
	    .most = region->header->area_capacity,
	    .grow = worker_grow,
	    .context = worker,
	    .frame = (enum leat_frame)region->header->frame,
	    .max_record = region->header->max_record,
	    .wanted = worker_wanted(worker),
	    .progress = worker_is_careful(worker) ? &slot->progress : NULL,
	};
}

/* Ends the claim with what the batch came to. */
static void worker_finish(struct leat_worker *worker)
{
	const struct call_result *result = &worker->result;
	if (result->later) {
		worker_give_back(worker);
		return;
	}
	if (result->why[0])
		slot_cut(worker_region(worker), worker->seq, worker->held->position, result->failed,
		    result->why);
	(void)worker_end(worker, result->kind, result->size, result->n_records);
}

/* A batch of a command. When the run is over, its claim stays as it is. */
static void worker_run_command(struct leat_worker *worker)
{
	struct region *region = worker_region(worker);
	const struct slot *slot = slot_at(region, worker->seq);
	unsigned position = worker->held->position;
	struct batch batch = slot_batch(region, worker->seq, slot_input(position));
	struct call_output output = worker_output(worker);
	uint64_t last = slot->first_record + slot->n_source_records - 1;
	if (each_batch(worker->held->command, &batch, slot->first_record, last,
		slot_is_exact(slot, position - 1), &output, &worker->result,
		&worker->child_cpu_ns) == 0)
		worker_finish(worker);
	else
		host_leave(worker->host, worker->entered);
}

static void worker_run_native(struct leat_worker *worker)
{
	struct region *region = worker_region(worker);
	struct batch batch = slot_batch(region, worker->seq, slot_input(worker->held->position));
	struct call_output output = worker_output(worker);
	struct call_result *result = &worker->result;
	int number = sigsetjmp(*crash_point(), 0);
	if (number == 0) {
		crash_arm();
		call_batch(native_stage(worker->held->native), &batch, &output, result);
		crash_disarm();
	} else {
		worker_crashed(worker, &output, number);
	}
	worker_finish(worker);
}

/* Returns 1 with a batch of a foreign stage, or 0 when the batch has been run and committed. */
static int worker_run(struct leat_worker *worker, struct leat_batch *ret_batch)
{
	struct region *region = worker_region(worker);
	struct batch batch = slot_batch(region, worker->seq, slot_input(worker->held->position));
	worker_begin(worker);
	if (batch.n_records == 0) {
		/* All dropped, or cut before its first: it only keeps its place. */
		(void)worker_end(worker, LEAT_RECORDS, 0, 0);
		return 0;
	}
	if (worker->held->native || worker->held->command) {
		if (worker->held->native)
			worker_run_native(worker);
		else
			worker_run_command(worker);
		return 0;
	}
	*ret_batch = (struct leat_batch){
	    .stage = worker->held->position - 1,
	    .n_records = batch.n_records,
	    .kind = batch.kind,
	    .wanted = worker_wanted(worker),
	    .careful = worker_is_careful(worker),
	    .data = batch.data,
	    .size = batch.size,
	};
	return 1;
}

int leat_worker_next(struct leat_worker *worker, struct leat_batch *ret_batch)
{
	struct launcher *command = worker->stages[0].command;
	if (command && command->stage->kind == STAGE_LINE) {
		line_run(worker_region(worker), worker->stages[0].position, worker->index, command);
		return 0;
	}
	while (worker_wait(worker)) {
		if (worker_run(worker, ret_batch) == 1)
			return 1;
	}
	return 0;
}

int worker_open_carrier(struct leat_host *host, struct leat_worker **ret_worker)
{
	struct leat_worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return -ENOMEM;
	worker->host = host;
	worker->group = WORKER_CARRIER;
	struct leat_error error = {0};
	int r = worker_load(worker, &error);
	for (unsigned i = 0; r == 0 && i < worker->n_stages; i++) {
		if (!worker->stages[i].native)
			r = -ENOTSUP;
		worker->stages[i].stands_for =
		    worker_first_of(&host->region, region_stage(&host->region, i));
	}
	if (r < 0)
		leat_worker_close(worker);
	else
		*ret_worker = worker;
	return r;
}

unsigned worker_carry(struct leat_worker *carrier, uint64_t seq)
{
	const struct region *region = worker_region(carrier);
	struct leat_batch foreign;
	for (unsigned i = 0; i < carrier->n_stages; i++) {
		struct worker_stage *mine = &carrier->stages[i];
		carrier->index = mine->stands_for;
		if (!ring_claim_this(region, seq, mine->position, carrier->index))
			return mine->position;
		carrier->seq = seq;
		carrier->held = mine;
		(void)worker_run(carrier, &foreign);
	}
	return region_sink(region);
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
	if (!worker->held)
		return -EINVAL;
	if (size > region->header->area_capacity)
		return -EMSGSIZE;
	unsigned area = slot_output(worker->held->position);
	if (!worker_reserve(worker, worker->seq, area, size))
		return worker_set_aside(worker, kind, data, size, n_records);
	if (size > 0)
		memcpy(slot_area(region, worker->seq, area), data, size);
	return worker_end(worker, kind, size, n_records);
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
