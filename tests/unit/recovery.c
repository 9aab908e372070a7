/* SPDX-License-Identifier: Apache-2.0 */
/* What a dead worker leaves behind at each step of its loop. */
#include "recovery.h"
#include "asleep.h"
#include "atomic.h"
#include "claim.h"
#include "notify.h"
#include "slot.h"
#include "state.h"
#include "tiny_ring.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 10

/* Python's host, as its interpreter may be any program: this one ends at once. */
static struct crew *crew_of_one(void)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	assert_non_null(crew);
	crew->region = tiny_ring(2, 1);
	crew->plan.n_stages = crew->plan.n_workers = crew->plan.n_hosts = 1;
	crew->plan.stages[0] = *region_stage(&crew->region, 0);
	crew->plan.workers[0] = *region_worker(&crew->region, 0);
	crew->plan.hosts[0] = HOST_PYTHON;
	crew->python = "true";
	crew->bell = STDERR_FILENO;
	crew->outlet = calloc(1, sizeof(*crew->outlet));
	assert_non_null(crew->outlet);
	assert_int_equal(relay_outlet_open(crew->outlet, STDERR_FILENO, -1), 0);
	crew->working = true;
	return crew;
}

static void crew_is_over(struct crew *crew)
{
	child_end(&crew->hosts[0]);
	relay_close(&crew->relays[0]);
	relay_outlet_close(crew->outlet);
	free(crew->outlet);
	region_free(&crew->region);
	free(crew);
}

/* The host's process has ended so. */
static int die(struct crew *crew, int status, struct leat_error *error)
{
	child_end(&crew->hosts[0]);
	relay_close(&crew->relays[0]);
	crew->hosts[0].status = status;
	return recovery_host_died(crew, 0, error);
}

/* Ends with the seq of the next batch that is READY there. */
struct waiter {
	const struct region *region;
	unsigned position;
	uint32_t id;
};

static void *wait_at(void *argument)
{
	struct waiter *waiter = argument;
	uint32_t *word =
	    region_wait_word(waiter->region, region_group_at(waiter->region, waiter->position));
	/* pairs with: waiter_start */
	atomic_store_release(&waiter->id, (uint32_t)gettid());
	for (;;) {
		uint32_t key = notify_prepare(word);
		if (ring_is_ready(waiter->region, 0, waiter->position))
			return NULL;
		notify_sleep(word, key);
	}
}

static pthread_t waiter_start(struct waiter *waiter)
{
	pthread_t thread;
	uint32_t id;
	assert_int_equal(pthread_create(&thread, NULL, wait_at, waiter), 0);
	/* pairs with: wait_at */
	while ((id = atomic_load_acquire(&waiter->id)) == 0)
		sched_yield();
	asleep_await((pid_t)id);
	return thread;
}

static int join_soon(pthread_t thread)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += PATIENCE_S;
	return pthread_timedjoin_np(thread, NULL, &deadline);
}

static void claim_one(struct crew *crew)
{
	uint64_t next = 0;
	uint64_t seq;
	assert_true(ring_claim(&crew->region, 1, 0, &next, &seq));
	assert_int_equal(seq, 0);
}

static void what_it_held_is_taken_back(void **state)
{
	(void)state;
	struct leat_error error = {0};
	struct crew *crew = crew_of_one();
	ring_advance(&crew->region, 0, 0);
	claim_one(crew);
	assert_int_equal(die(crew, SIGKILL, &error), 0);
	assert_true(ring_is_ready(&crew->region, 0, 1));
	assert_int_equal(crew->losses[0].restarts, 1);
	crew_is_over(crew);
}

/* It died right behind the first step of its commit, and the sink sleeps. */
static void a_commit_that_woke_nobody_is_made_good(void **state)
{
	(void)state;
	struct leat_error error = {0};
	struct crew *crew = crew_of_one();
	struct waiter waiter = {.region = &crew->region, .position = 2};
	ring_advance(&crew->region, 0, 0);
	claim_one(crew);
	pthread_t thread = waiter_start(&waiter);
	/* pairs with: ring_is_ready */
	(void)atomic_exchange_seq(
	    &slot_at(&crew->region, 0)->state, state_ready(state_place(0, 2)));
	assert_int_equal(die(crew, SIGKILL, &error), 0);
	assert_int_equal(join_soon(thread), 0);
	crew_is_over(crew);
}

/* Whoever kills a worker that waits, however often, says nothing about its stage. */
static void to_be_killed_while_waiting_is_no_failure(void **state)
{
	(void)state;
	struct leat_error error = {0};
	struct crew *crew = crew_of_one();
	for (unsigned i = 1; i <= 100; i++) {
		/* relaxed: nobody else is there */
		atomic_store_relaxed(&region_worker(&crew->region, 0)->state, WORKER_READY);
		assert_int_equal(die(crew, SIGKILL, &error), 0);
		assert_int_equal(crew->losses[0].restarts, i);
	}
	crew_is_over(crew);
}

/* How many deaths in a row, each without a commit, are taken. */
static unsigned deaths_taken(int status, enum worker_state worker_state)
{
	struct leat_error error = {0};
	struct crew *crew = crew_of_one();
	unsigned n = 0;
	atomic_store_relaxed(&region_worker(&crew->region, 0)->state, worker_state);
	while (die(crew, status, &error) == 0) {
		assert_true(++n < 100);
		atomic_store_relaxed(&region_worker(&crew->region, 0)->state, worker_state);
	}
	assert_int_equal(error.status, LEAT_STOPPED);
	crew_is_over(crew);
	return n;
}

static void to_die_before_doing_anything_is_a_failure_soon(void **state)
{
	(void)state;
	/* The next one is the failure. */
	assert_int_equal(deaths_taken(SIGKILL, WORKER_STARTING), 24);
	assert_int_equal(deaths_taken(SIGABRT, WORKER_STARTING), 2);
	assert_int_equal(deaths_taken(SIGABRT, WORKER_READY), 2);
}

static struct slot *put_two(struct crew *crew)
{
	struct slot *slot = slot_at(&crew->region, 0);
	memcpy(slot_area(&crew->region, 0, 0), "a\nb\n", 4);
	slot_set_output(slot, 0, LEAT_RECORDS, 4, 2);
	slot_clear_failure(slot);
	ring_advance(&crew->region, 0, 0);
	return slot;
}

/* Workers begin the batch and die over its second record, so many of them. */
static void die_with_batch(struct crew *crew, int status, unsigned n)
{
	struct leat_error error = {0};
	struct slot *slot = slot_at(&crew->region, 0);
	for (unsigned i = 0; i < n; i++) {
		assert_false(slot_failed(slot));
		claim_one(crew);
		slot->history[0].attempts++;
		slot->progress = 1;
		assert_int_equal(die(crew, status, &error), 0);
		assert_true(ring_is_ready(&crew->region, 0, 1));
	}
}

static void a_batch_that_kills_is_cut_in_the_end(void **state)
{
	(void)state;
	struct crew *crew = crew_of_one();
	struct slot *slot = put_two(crew);
	/* Deaths by SIGKILL do not count among these. */
	die_with_batch(crew, SIGKILL, 24);
	die_with_batch(crew, SIGABRT, 3);
	assert_int_equal(slot->failure.stage, 0);
	assert_int_equal(slot->failure.index, 1);
	assert_string_equal(slot->failure.why, "was killed by SIGABRT, 3 times");
	assert_int_equal(slot->n_records[0], 1);
	assert_int_equal(slot->size[0], 2);
	crew_is_over(crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_it_held_is_taken_back),
	    cmocka_unit_test(a_commit_that_woke_nobody_is_made_good),
	    cmocka_unit_test(to_be_killed_while_waiting_is_no_failure),
	    cmocka_unit_test(to_die_before_doing_anything_is_a_failure_soon),
	    cmocka_unit_test(a_batch_that_kills_is_cut_in_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
