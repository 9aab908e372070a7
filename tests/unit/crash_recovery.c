/* SPDX-License-Identifier: Apache-2.0 */
/* What a dead worker leaves behind at each step of its loop. */
#include "crash_recovery.h"
#include "asleep.h"
#include "atomic.h"
#include "claim.h"
#include "slot.h"
#include "slot_state.h"
#include "tiny_ring.h"
#include "wakeup.h"

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

/* All in Python's host, as its interpreter may be any program: this one ends at once. */
static struct crew *crew_of(unsigned n_workers)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	assert_non_null(crew);
	crew->region = tiny_ring(4, n_workers);
	crew->plan.n_stages = crew->plan.n_workers = n_workers;
	crew->plan.n_hosts = 1;
	for (unsigned i = 0; i < n_workers; i++) {
		crew->plan.stages[i] = *region_stage(&crew->region, i);
		crew->plan.workers[i] = *region_worker(&crew->region, i);
	}
	crew->plan.hosts[0] = HOST_PYTHON;
	crew->python = "true";
	crew->bell = STDERR_FILENO;
	crew->outlet = calloc(1, sizeof(*crew->outlet));
	assert_non_null(crew->outlet);
	assert_int_equal(stderr_relay_outlet_open(crew->outlet, STDERR_FILENO, -1), 0);
	crew->working = true;
	return crew;
}

static struct crew *crew_of_one(void)
{
	return crew_of(1);
}

static void crew_is_over(struct crew *crew)
{
	child_end(&crew->hosts[0]);
	stderr_relay_close(&crew->relays[0]);
	stderr_relay_outlet_close(crew->outlet);
	free(crew->outlet);
	region_free(&crew->region);
	free(crew);
}

/* The host's process has ended so. */
static int die(struct crew *crew, int status, struct leat_error *error)
{
	child_end(&crew->hosts[0]);
	stderr_relay_close(&crew->relays[0]);
	crew->hosts[0].status = status;
	return crash_recovery_host_died(crew, 0, error);
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
		uint32_t key = wakeup_prepare(word);
		if (ring_is_ready(waiter->region, 0, waiter->position))
			return NULL;
		wakeup_sleep(word, key);
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
	    &slot_at(&crew->region, 0)->state, slot_state_ready(slot_state_place(0, 2)));
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

static struct slot *put_two_at(struct crew *crew, uint64_t seq)
{
	struct slot *slot = slot_at(&crew->region, seq);
	memcpy(slot_area(&crew->region, seq, 0), "a\nb\n", 4);
	slot_set_output(slot, 0, LEAT_RECORDS, 4, 2);
	slot_clear_failure(slot);
	ring_advance(&crew->region, seq, 0);
	return slot;
}

static struct slot *put_two(struct crew *crew)
{
	return put_two_at(crew, 0);
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

/* That worker begins the next batch of its stage, which nobody else holds. */
static struct slot *begin_next(struct crew *crew, unsigned worker, uint64_t start_ns)
{
	uint64_t next = 0;
	uint64_t seq;
	assert_true(ring_claim_any(&crew->region, worker + 1, worker, &next, &seq));
	struct slot *slot = slot_at(&crew->region, seq);
	slot->history[worker].attempts++;
	slot->history[worker].start_ns = start_ns;
	slot->progress = 1;
	return slot;
}

static void commit(struct crew *crew, struct slot *slot, uint64_t seq, unsigned worker)
{
	slot_set_output(slot, slot_output(worker + 1), LEAT_RECORDS, 4, 2);
	assert_int_equal(ring_commit(&crew->region, seq, worker + 1, worker), 0);
}

/* One never returns, so that the one that kills is never alone. */
static void of_two_that_are_there_each_time_the_last_is_guilty(void **state)
{
	(void)state;
	static const struct {
		int status;
		unsigned times;
	} cases[] = {{SIGABRT, 6}, {SIGKILL, 50}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct leat_error error = {0};
		struct crew *crew = crew_of(2);
		struct slot *deadly = put_two_at(crew, 0);
		struct slot *stuck = put_two_at(crew, 1);
		commit(crew, begin_next(crew, 0, 1), 0, 0);
		for (unsigned n = 0; n < cases[i].times; n++) {
			assert_false(slot_failed(deadly));
			assert_ptr_equal(begin_next(crew, 0, 2 * n), stuck);
			assert_ptr_equal(begin_next(crew, 1, 2 * n + 1), deadly);
			assert_int_equal(die(crew, cases[i].status, &error), 0);
		}
		assert_int_equal(deadly->failure.stage, 1);
		assert_int_equal(deadly->failure.index, 1);
		/* It was alone in nothing, and is as good as new. */
		assert_ptr_equal(begin_next(crew, 0, 0), stuck);
		(void)begin_next(crew, 1, 1);
		assert_int_equal(die(crew, cases[i].status, &error), 0);
		assert_false(slot_failed(stuck));
		crew_is_over(crew);
	}
}

/* It never begins last, but nothing else was there as often. */
static void one_that_is_there_each_time_is_guilty(void **state)
{
	(void)state;
	struct leat_error error = {0};
	struct crew *crew = crew_of(2);
	struct slot *slots[4];
	for (uint64_t seq = 0; seq < 4; seq++)
		slots[seq] = put_two_at(crew, seq);
	for (uint64_t seq = 0; seq < 3; seq++)
		commit(crew, begin_next(crew, 0, 1), seq, 0);
	for (uint64_t n = 0; n < 6; n++) {
		assert_false(slot_failed(slots[3]));
		assert_ptr_equal(begin_next(crew, 0, 2 * n), slots[3]);
		struct slot *passing = begin_next(crew, 1, 2 * n + 1);
		assert_int_equal(die(crew, SIGABRT, &error), 0);
		assert_false(slot_failed(passing));
		/* Tried again it gets through, every second time. */
		if (n % 2 == 1)
			commit(crew, begin_next(crew, 1, 0), n / 2, 1);
	}
	assert_int_equal(slots[3]->failure.stage, 0);
	assert_string_equal(
	    slots[3]->failure.why, "the process it shares was killed by SIGABRT, 6 times");
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
	    cmocka_unit_test(of_two_that_are_there_each_time_the_last_is_guilty),
	    cmocka_unit_test(one_that_is_there_each_time_is_guilty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
