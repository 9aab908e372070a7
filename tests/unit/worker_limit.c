/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_limit.h"

#include "asleep.h"
#include "atomic.h"
#include "claim.h"
#include "tiny_ring.h"
#include "wakeup.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 10

/* Of the tiny ring's first stage. */
#define GROUP GROUP_WORKERS

/* A worker that parks for as long as it may not work. */
struct parker {
	const struct region *region;
	unsigned rank;
	uint32_t rouses; /* it sleeps no longer, whatever for */
	pid_t id;	 /* set once it runs */
	pthread_t thread;
};

static void *park(void *argument)
{
	struct parker *parker = argument;
	/* pairs with: parker_start */
	atomic_store_release(&parker->id, gettid());
	while (!worker_limit_allows(parker->region, GROUP, parker->rank) &&
	       !ring_stopped(parker->region)) {
		worker_limit_park(parker->region, GROUP, parker->rank);
		/* relaxed: only looked at for whether it changes */
		atomic_add_relaxed(&parker->rouses, 1);
	}
	return NULL;
}

/* Starts it and returns when it sleeps. */
static void parker_start(struct parker *parker, const struct region *region, unsigned rank)
{
	const struct timespec nap = {.tv_nsec = 100 * 1000};
	*parker = (struct parker){.region = region, .rank = rank};
	assert_int_equal(pthread_create(&parker->thread, NULL, park, parker), 0);
	/* pairs with: park */
	while (atomic_load_acquire(&parker->id) == 0)
		nanosleep(&nap, NULL);
	asleep_await(parker->id);
}

static void parker_join(struct parker *parker)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += PATIENCE_S;
	assert_int_equal(pthread_timedjoin_np(parker->thread, NULL, &deadline), 0);
}

static void rouses_are(const struct parker *parker, uint32_t expected)
{
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	for (int i = 0; i < 1000 * PATIENCE_S; i++) {
		if (atomic_load_relaxed(&parker->rouses) == expected)
			break;
		nanosleep(&nap, NULL);
	}
	assert_int_equal(atomic_load_relaxed(&parker->rouses), expected);
	asleep_await(parker->id);
}

static void at_first_all_may_work(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 2);
	for (unsigned group = 0; group < region.header->n_groups; group++)
		assert_true(worker_limit_allows(&region, group, REGION_WORKERS_MAX));
	worker_limit_set(&region, GROUP, 2);
	assert_int_equal(worker_limit_of(&region, GROUP), 2);
	assert_true(worker_limit_allows(&region, GROUP, 1));
	assert_false(worker_limit_allows(&region, GROUP, 2));
	assert_true(worker_limit_allows(&region, GROUP + 1, 2));
	region_free(&region);
}

/* A worker that may work does not sleep, and neither does one of a ring that is stopped. */
static void who_need_not_park_goes_on(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	worker_limit_set(&region, GROUP, 1);
	worker_limit_park(&region, GROUP, 0);
	ring_stop(&region);
	worker_limit_park(&region, GROUP, 1);
	region_free(&region);
}

static void a_higher_limit_brings_in_whom_it_allows(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	struct parker parkers[2];
	worker_limit_set(&region, GROUP, 1);
	parker_start(&parkers[0], &region, 1);
	parker_start(&parkers[1], &region, 2);
	worker_limit_set(&region, GROUP, 2);
	parker_join(&parkers[0]);
	rouses_are(&parkers[1], 1);
	worker_limit_set(&region, GROUP, 3);
	parker_join(&parkers[1]);
	region_free(&region);
}

/* A batch that comes to the group is no reason to wake who may not take it. */
static void a_batch_does_not_wake_the_parked(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	struct parker parker;
	uint64_t next = 0;
	uint64_t seq;
	worker_limit_set(&region, GROUP, 1);
	parker_start(&parker, &region, 1);
	ring_advance(&region, 0, 0);
	assert_true(ring_claim(&region, 1, 0, &next, &seq));
	assert_int_equal(ring_commit(&region, seq, 1, 0), 0);
	/* The first rouse that it sees is the one that is meant for it. */
	ring_wake_all(&region);
	rouses_are(&parker, 1);
	ring_end(&region, 1);
	rouses_are(&parker, 2);
	ring_stop(&region);
	parker_join(&parker);
	region_free(&region);
}

/* Between the look and the sleep the limit changes: the key is not the word any more. */
static void a_change_before_the_sleep_is_not_lost(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	worker_limit_set(&region, GROUP, 1);
	uint32_t *word = region_park_word(&region, GROUP);
	uint32_t key = wakeup_prepare(word);
	assert_false(worker_limit_allows(&region, GROUP, 1));
	worker_limit_set(&region, GROUP, 2);
	alarm(PATIENCE_S);
	wakeup_sleep(word, key);
	alarm(0);
	region_free(&region);
}

/* Killed in its sleep it leaves nothing behind that another would miss a change by. */
static void one_that_dies_parked_is_not_missed(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	struct parker parker;
	worker_limit_set(&region, GROUP, 1);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(PATIENCE_S);
		worker_limit_park(&region, GROUP, 1);
		_exit(0);
	}
	assert_true(pid > 0);
	asleep_await(pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	parker_start(&parker, &region, 1);
	worker_limit_set(&region, GROUP, 2);
	parker_join(&parker);
	region_free(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    /* First: it forks, and there is no other thread yet. */
	    cmocka_unit_test(one_that_dies_parked_is_not_missed),
	    cmocka_unit_test(at_first_all_may_work),
	    cmocka_unit_test(who_need_not_park_goes_on),
	    cmocka_unit_test(a_higher_limit_brings_in_whom_it_allows),
	    cmocka_unit_test(a_batch_does_not_wake_the_parked),
	    cmocka_unit_test(a_change_before_the_sleep_is_not_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
