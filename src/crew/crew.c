/* SPDX-License-Identifier: Apache-2.0 */
#include "crew.h"

#include "atomic.h"
#include "claim.h"
#include "clock.h"
#include "crash_handler.h"
#include "crash_recovery.h"
#include "crew_commands.h"
#include "failure.h"
#include "fd.h"
#include "host_process.h"
#include "in_flight.h"
#include "thread.h"
#include "worker_limit.h"

#include <errno.h>
#include <string.h>

/* Batches in flight. */
#define CREW_SLOTS 32u

/* With programs that may answer only after many records; see in_flight_bound. */
#define CREW_SLOTS_LINE	 256u
#define CREW_WINDOW_LINE 4u /* slots for each of them */

/* How long a host may take to leave after a stop before it is made to. */
#define CREW_GRACE_MS 200

static void *crew_thread_run(void *argument)
{
	struct crew_thread *thread = argument;
	struct leat_worker *worker = NULL;
	struct leat_batch batch;
	void *stack = crash_handler_thread_begin();
	if (leat_worker_open(&thread->crew->self, thread->nth, &worker) == 0) {
		leat_worker_ready(worker);
		(void)leat_worker_next(worker, &batch);
		leat_worker_close(worker);
	}
	crash_handler_thread_end(stack);
	/* pairs with: crew_is_gone: nothing is posted any more */
	atomic_store_release(&thread->ended, 1);
	fd_ring(thread->crew->bell);
	return NULL;
}

static int crew_start_threads(struct crew *crew, unsigned host)
{
	worker_host_join(&crew->self, &crew->region, crew->bell, host, &crew->commands);
	for (unsigned i = 0; i < leat_host_workers(&crew->self); i++) {
		struct crew_thread *thread = &crew->threads[i];
		*thread = (struct crew_thread){.crew = crew, .nth = i};
		int r = pthread_create(&thread->thread, NULL, crew_thread_run, thread);
		if (r != 0)
			return -r;
		thread->started = true;
	}
	return 0;
}

static int crew_start_one(struct crew *crew, unsigned host, struct leat_error *reterr)
{
	if (crew->plan.hosts[host] != HOST_SELF) {
		if (host_process_is_wanted(crew, host))
			return host_process_start(crew, host, reterr);
		host_process_defer(crew, host);
		return 0;
	}
	int r = crew_start_threads(crew, host);
	return r < 0
		   ? failure(reterr, LEAT_CANNOT_START, r, "stage '%s': cannot start a thread: %s",
			 host_process_name(crew, host), strerror(-r))
		   : 0;
}

/* The workers of its line: stages. */
static unsigned crew_count_lines(const struct crew *crew)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < crew->plan.n_stages; i++) {
		for (uint32_t k = 0; k < crew->plan.n_workers; k++)
			n += crew->plan.stages[i].kind == STAGE_LINE &&
			     crew->plan.workers[k].group == crew->plan.stages[i].group;
	}
	return n;
}

/* An exact batch fits an area, and leaves half of it to records that are longer. */
static int crew_check_batches(const struct crew *crew, struct leat_error *reterr)
{
	uint64_t most = crew->region.header->area_capacity / 2;
	if (crew->batch_bytes <= most)
		return 0;
	return failure(reterr, LEAT_CANNOT_START, -EINVAL,
	    "a batch of %llu bytes is more than the %llu that fit into memory; raise --memory",
	    (unsigned long long)crew->batch_bytes, (unsigned long long)most);
}

/* For each worker a batch, and the next one. */
static uint32_t crew_slots(const struct crew *crew, unsigned lines)
{
	uint32_t slots = lines > 0 ? CREW_SLOTS_LINE : CREW_SLOTS;
	while (slots < 2 * crew->plan.n_workers)
		slots *= 2;
	return slots;
}

int crew_start(
    struct crew *crew, int bell, const struct leat_options *options, struct leat_error *reterr)
{
	unsigned lines = crew_count_lines(crew);
	struct region_config config = {
	    .n_slots = crew_slots(crew, lines),
	    .frame = options->frame,
	    .max_record = options->max_record,
	    .memory = options->memory,
	    .batch_bytes = crew->batch_bytes,
	    .batch_exactly = crew->batch_records,
	    .stages = crew->plan.stages,
	    .n_stages = crew->plan.n_stages,
	    .workers = crew->plan.workers,
	    .n_workers = crew->plan.n_workers,
	};
	crew->bell = bell;
	crew->python = options->python;
	for (unsigned i = 0; i < PLAN_WORKERS_MAX; i++)
		crew->command_errs[i] = -1;
	int r = region_new(&config, &crew->region);
	if (r < 0)
		return failure(reterr, LEAT_CANNOT_START, r,
		    "cannot map the ring's memory: %s; a smaller --memory or --max-record needs "
		    "less",
		    strerror(-r));
	r = crew_check_batches(crew, reterr);
	if (r < 0)
		return r;
	r = crew_commands_open_all(crew);
	if (r < 0)
		return failure(reterr, LEAT_CANNOT_START, r, "cannot start: %s", strerror(-r));
	if (lines > 0)
		in_flight_bound(&crew->region, CREW_WINDOW_LINE * lines);
	for (unsigned group = GROUP_WORKERS; group < crew->region.header->n_groups; group++) {
		if (crew->plan.is_auto[group])
			worker_limit_set(&crew->region, group, 1);
	}
	for (unsigned i = 0; r == 0 && i < crew->plan.n_hosts; i++)
		r = crew_start_one(crew, i, reterr);
	return r;
}

int crew_ready(struct crew *crew, struct leat_error *reterr)
{
	int ready = 1;
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		/* pairs with: worker_open_tell: the text in `why` */
		uint32_t state = atomic_load_acquire(&worker->state);
		if (state == WORKER_REFUSED)
			return failure(reterr, crew->working ? LEAT_STOPPED : LEAT_CANNOT_START,
			    -EINVAL, "%.*s", (int)sizeof(worker->why), worker->why);
		if (state == WORKER_STARTING)
			ready = 0;
	}
	return ready;
}

int crew_poll(const struct crew *crew, struct pollfd *items)
{
	int n = 0;
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		if (crew->hosts[i].pid != 0)
			items[n++] = (struct pollfd){.fd = crew->hosts[i].pidfd, .events = POLLIN};
	}
	return n + crew_poll_stderr(crew, items + n);
}

int crew_poll_stderr(const struct crew *crew, struct pollfd *items)
{
	int n = 0;
	for (unsigned i = 0; i < crew->plan.n_hosts; i++)
		n += stderr_relay_poll(&crew->relays[i], items + n);
	for (unsigned i = 0; i < crew->plan.n_workers; i++)
		n += stderr_relay_poll(&crew->command_relays[i], items + n);
	return n;
}

void crew_relay_stderr(struct crew *crew)
{
	for (unsigned i = 0; i < crew->plan.n_hosts; i++)
		stderr_relay_pump(&crew->relays[i]);
	for (unsigned i = 0; i < crew->plan.n_workers; i++)
		stderr_relay_pump(&crew->command_relays[i]);
}

int crew_reap(struct crew *crew, crew_ended *ended, void *context, struct leat_error *reterr)
{
	int r = 0;
	crew_relay_stderr(crew);
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		if (crew->hosts[i].pid == 0 || !child_reap(&crew->hosts[i]))
			continue;
		stderr_relay_close(&crew->relays[i]);
		ended(context, crew, i);
		if (!ring_stopped(&crew->region) && r == 0)
			r = crash_recovery_host_died(crew, i, reterr);
	}
	return r;
}

bool crew_is_in_process(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		if (crew->plan.hosts[i] != HOST_SELF)
			return false;
	}
	return true;
}

bool crew_has_hosts(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		if (crew->hosts[i].pid != 0)
			return true;
	}
	return false;
}

bool crew_is_gone(const struct crew *crew)
{
	if (crew_has_hosts(crew))
		return false;
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		const struct crew_thread *thread = &crew->threads[i];
		/* pairs with: crew_thread_run */
		if (thread->started && !atomic_load_acquire(&thread->ended))
			return false;
	}
	return true;
}

void crew_stop(struct crew *crew)
{
	if (!crew->region.header)
		return;
	ring_stop(&crew->region);
	fd_ring(crew->commands.stop);
}

/* They have a moment together, not one each. */
static void crew_join(struct crew *crew)
{
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		if (!crew->threads[i].started)
			continue;
		int r = crew->abandoned ? pthread_tryjoin_np(crew->threads[i].thread, NULL)
					: thread_join(crew->threads[i].thread);
		if (r != 0)
			crew->abandoned = true;
	}
}

static void crew_end_hosts(struct crew *crew, crew_ended *ended, void *context)
{
	uint64_t now = clock_wall_ns();
	uint64_t deadline = now + CREW_GRACE_MS * 1000000ull;
	for (; now < deadline && !crew_is_gone(crew); now = clock_wall_ns()) {
		struct pollfd items[CREW_POLL_MAX];
		int n = crew_poll(crew, items);
		(void)poll(items, (nfds_t)n, (int)((deadline - now) / 1000000) + 1);
		/* None is replaced any more. */
		(void)crew_reap(crew, ended, context, NULL);
	}
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		bool was_there = crew->hosts[i].pid != 0;
		child_end(&crew->hosts[i]);
		stderr_relay_close(&crew->relays[i]);
		if (was_there)
			ended(context, crew, i);
	}
}

void crew_end(struct crew *crew, crew_ended *ended, void *context)
{
	if (!crew->region.header)
		return;
	crew_stop(crew);
	crew_join(crew);
	crew_end_hosts(crew, ended, context);
	if (crew->abandoned)
		return;
	crew_commands_close_all(crew);
	region_free(&crew->region);
}
