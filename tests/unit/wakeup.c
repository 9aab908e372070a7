/* SPDX-License-Identifier: Apache-2.0 */
#include "wakeup.h"

#include "asleep.h"
#include "atomic.h"
#include "claim.h"
#include "clock.h"
#include "tiny_ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 10

/* A thread that waits as the ring's users do, and what it has to say afterwards. */
struct waiter {
	pthread_t thread;
	pid_t id; /* set once it runs */
	uint32_t *word;
	const uint32_t *go; /* what it waits for */
	uint32_t returns;   /* of wakeup_sleep */
	uint64_t cpu_ns;
	struct region *region; /* of those that wait for a batch */
	uint64_t seq;
};

static void waiter_begin(struct waiter *waiter)
{
	/* pairs with: waiter_start */
	atomic_store_release(&waiter->id, gettid());
	waiter->cpu_ns = clock_cpu_ns();
}

static void *wait_for_go(void *argument)
{
	struct waiter *waiter = argument;
	waiter_begin(waiter);
	for (;;) {
		uint32_t key = wakeup_prepare(waiter->word);
		/* pairs with: say_go */
		if (atomic_load_seq(waiter->go))
			break;
		wakeup_sleep(waiter->word, key);
		waiter->returns++;
	}
	waiter->cpu_ns = clock_cpu_ns() - waiter->cpu_ns;
	return NULL;
}

static void say_go(uint32_t *go)
{
	/* pairs with: wait_for_go, wait_in_a_process */
	(void)atomic_exchange_seq(go, 1);
}

/* Starts it and returns when it sleeps. */
static void waiter_start(struct waiter *waiter, void *(*run)(void *))
{
	const struct timespec nap = {.tv_nsec = 100 * 1000};
	assert_int_equal(pthread_create(&waiter->thread, NULL, run, waiter), 0);
	/* pairs with: waiter_begin */
	while (atomic_load_acquire(&waiter->id) == 0)
		nanosleep(&nap, NULL);
	asleep_await(waiter->id);
}

static int join_soon(pthread_t thread)
{
	/* Not pthread_clockjoin_np: ThreadSanitizer does not know that it is a join. */
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += PATIENCE_S;
	return pthread_timedjoin_np(thread, NULL, &deadline);
}

static void waking_nobody_leaves_the_word_alone(void **state)
{
	(void)state;
	uint32_t word = 0;
	wakeup_wake(&word);
	assert_int_equal(word, 0);
	uint32_t key = wakeup_prepare(&word);
	assert_int_equal(key, word);
	wakeup_wake(&word);
	uint32_t woken = word;
	assert_int_not_equal(woken, key);
	wakeup_wake(&word);
	assert_int_equal(word, woken);
}

static void *sleep_once(void *argument)
{
	struct waiter *waiter = argument;
	wakeup_sleep(waiter->word, waiter->returns);
	return NULL;
}

/*
 *	waiter                     waker
 *	wakeup_prepare
 *	                           wakeup_wake
 *	wakeup_sleep: returns at once
 */
static void a_wake_before_the_sleep_is_not_lost(void **state)
{
	(void)state;
	uint32_t word = 0;
	struct waiter waiter = {.word = &word, .returns = wakeup_prepare(&word)};
	wakeup_wake(&word);
	assert_int_equal(pthread_create(&waiter.thread, NULL, sleep_once, &waiter), 0);
	assert_int_equal(join_soon(waiter.thread), 0);
}

/*
 * The same with others who prepare in between: their sleeping must not hide the
 * wake-up that the first has missed.
 *
 *	first            second           waker
 *	wakeup_prepare
 *	                                  wakeup_wake
 *	                 wakeup_prepare
 *	wakeup_sleep: returns at once
 */
static void another_sleeper_does_not_hide_a_wake(void **state)
{
	(void)state;
	uint32_t word = 0;
	struct waiter waiter = {.word = &word, .returns = wakeup_prepare(&word)};
	wakeup_wake(&word);
	(void)wakeup_prepare(&word);
	assert_int_equal(pthread_create(&waiter.thread, NULL, sleep_once, &waiter), 0);
	assert_int_equal(join_soon(waiter.thread), 0);
}

static void the_count_of_wakes_may_run_over(void **state)
{
	(void)state;
	uint32_t word = UINT32_MAX - 1;
	uint32_t key = wakeup_prepare(&word);
	assert_true(key == UINT32_MAX);
	wakeup_wake(&word);
	assert_int_equal(word, 0);
}

static void sleeps_without_cpu(void **state)
{
	(void)state;
	/* A quarter of a second in which nothing happens is what this is about. */
	const struct timespec nothing = {.tv_nsec = 250 * 1000 * 1000};
	uint32_t word = 0;
	uint32_t go = 0;
	struct waiter waiter = {.word = &word, .go = &go};
	waiter_start(&waiter, wait_for_go);
	nanosleep(&nothing, NULL);
	say_go(&go);
	wakeup_wake(&word);
	assert_int_equal(join_soon(waiter.thread), 0);
	assert_true(waiter.cpu_ns < 20 * 1000 * 1000);
	/* A futex may wake for no reason, but not all the time. */
	assert_in_range(waiter.returns, 1, 5);
}

static void a_wake_without_a_change_is_no_end(void **state)
{
	(void)state;
	uint32_t word = 0;
	uint32_t go = 0;
	struct waiter waiter = {.word = &word, .go = &go};
	waiter_start(&waiter, wait_for_go);
	wakeup_wake(&word);
	asleep_await(waiter.id);
	say_go(&go);
	wakeup_wake(&word);
	assert_int_equal(join_soon(waiter.thread), 0);
}

static void all_who_sleep_wake(void **state)
{
	(void)state;
	uint32_t word = 0;
	uint32_t go = 0;
	struct waiter waiters[8] = {0};
	for (int i = 0; i < 8; i++) {
		waiters[i].word = &word;
		waiters[i].go = &go;
		waiter_start(&waiters[i], wait_for_go);
	}
	say_go(&go);
	wakeup_wake(&word);
	for (int i = 0; i < 8; i++)
		assert_int_equal(join_soon(waiters[i].thread), 0);
}

/* It died when it had cleared the bit, and before it woke anyone. */
static void a_waker_that_died_is_made_good(void **state)
{
	(void)state;
	uint32_t word = 0;
	uint32_t go = 0;
	struct waiter waiter = {.word = &word, .go = &go};
	waiter_start(&waiter, wait_for_go);
	say_go(&go);
	uint32_t seen = atomic_load_seq(&word);
	assert_true(atomic_cas_seq(&word, &seen, (seen + 2) & ~1u));
	wakeup_wake(&word);
	asleep_await(waiter.id);
	wakeup_force(&word);
	assert_int_equal(join_soon(waiter.thread), 0);
}

static void *wait_for_a_batch(void *argument)
{
	struct waiter *waiter = argument;
	uint64_t next = 0;
	waiter_begin(waiter);
	for (;;) {
		uint32_t key = wakeup_prepare(waiter->word);
		if (ring_claim(waiter->region, 1, 0, &next, &waiter->seq))
			return NULL;
		wakeup_sleep(waiter->word, key);
	}
}

static void an_empty_ring_is_waited_for(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 1);
	struct waiter waiter = {.region = &region, .seq = 77};
	waiter.word = region_wait_word(&region, region_group_at(&region, 1));
	waiter_start(&waiter, wait_for_a_batch);
	ring_advance(&region, 0, 0);
	assert_int_equal(join_soon(waiter.thread), 0);
	assert_int_equal(waiter.seq, 0);
	region_free(&region);
}

static void *wait_for_a_free_slot(void *argument)
{
	struct waiter *waiter = argument;
	waiter_begin(waiter);
	for (;;) {
		uint32_t key = wakeup_prepare(waiter->word);
		if (ring_is_ready(waiter->region, waiter->seq, 0))
			return NULL;
		wakeup_sleep(waiter->word, key);
	}
}

static void a_full_ring_is_waited_for(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 1);
	struct waiter waiter = {.region = &region, .seq = 2};
	waiter.word = region_wait_word(&region, GROUP_SOURCE);
	uint64_t next = 0;
	uint64_t seq;
	for (uint64_t i = 0; i < 2; i++)
		ring_advance(&region, i, 0);
	waiter_start(&waiter, wait_for_a_free_slot);
	/* What the worker does frees no slot. */
	assert_true(ring_claim(&region, 1, 0, &next, &seq));
	assert_int_equal(ring_commit(&region, seq, 1, 0), 0);
	asleep_await(waiter.id);
	ring_advance(&region, 0, 2);
	assert_int_equal(join_soon(waiter.thread), 0);
	region_free(&region);
}

static void wait_in_a_process(uint32_t *shared)
{
	for (;;) {
		uint32_t key = wakeup_prepare(&shared[0]);
		/* pairs with: say_go */
		if (atomic_load_seq(&shared[1]))
			_exit(0);
		wakeup_sleep(&shared[0], key);
	}
}

static void processes_wake_each_other(void **state)
{
	(void)state;
	uint32_t *shared =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	pid_t pids[2];
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			alarm(PATIENCE_S);
			wait_in_a_process(shared);
		}
		assert_true(pids[i] > 0);
	}
	for (int i = 0; i < 2; i++)
		asleep_await(pids[i]);
	/* One that dies asleep leaves nothing behind that matters. */
	assert_int_equal(kill(pids[0], SIGKILL), 0);
	assert_int_equal(waitpid(pids[0], NULL, 0), pids[0]);
	say_go(&shared[1]);
	wakeup_wake(&shared[0]);
	int status = -1;
	assert_int_equal(waitpid(pids[1], &status, 0), pids[1]);
	assert_int_equal(status, 0);
	munmap(shared, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    /* First: it forks, and there is no other thread yet. */
	    cmocka_unit_test(processes_wake_each_other),
	    cmocka_unit_test(waking_nobody_leaves_the_word_alone),
	    cmocka_unit_test(a_wake_before_the_sleep_is_not_lost),
	    cmocka_unit_test(another_sleeper_does_not_hide_a_wake),
	    cmocka_unit_test(a_waker_that_died_is_made_good),
	    cmocka_unit_test(the_count_of_wakes_may_run_over),
	    cmocka_unit_test(sleeps_without_cpu),
	    cmocka_unit_test(a_wake_without_a_change_is_no_end),
	    cmocka_unit_test(all_who_sleep_wake),
	    cmocka_unit_test(an_empty_ring_is_waited_for),
	    cmocka_unit_test(a_full_ring_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
