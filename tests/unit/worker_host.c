/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom before a batch, and that nobody does for ever. */
#include "worker_host.h"
#include "asleep.h"
#include "atomic.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

/* What nobody waits for: a wait that takes it is one without an end. */
#define LONG_NS (30 * CLOCK_NS_PER_S)

/* A worker with one batch. */
struct visitor {
	struct leat_host *host;
	bool alone;
	pthread_t thread;
	uint32_t id;
	uint64_t began_ns;
	bool entered;
};

static void *visit(void *argument)
{
	struct visitor *visitor = argument;
	/* pairs with: visitor_start */
	atomic_store_release(&visitor->id, (uint32_t)gettid());
	visitor->entered = worker_host_enter(visitor->host, visitor->alone);
	visitor->began_ns = clock_wall_ns();
	worker_host_leave(visitor->host, visitor->entered);
	return NULL;
}

/* Returns when it waits. */
static void visitor_start(struct visitor *visitor)
{
	uint32_t id;
	assert_int_equal(pthread_create(&visitor->thread, NULL, visit, visitor), 0);
	/* pairs with: visit */
	while ((id = atomic_load_acquire(&visitor->id)) == 0)
		sched_yield();
	asleep_await((pid_t)id);
}

static void visitor_join(struct visitor *visitor)
{
	assert_int_equal(pthread_join(visitor->thread, NULL), 0);
}

static struct leat_host new_host(void)
{
	struct leat_host host;
	worker_host_join(&host, &(struct region){0}, -1, 0, NULL);
	return host;
}

static void others_wait_for_one_that_is_alone(void **state)
{
	(void)state;
	struct leat_host host = new_host();
	struct visitor other = {.host = &host};
	assert_true(worker_host_enter(&host, true));
	visitor_start(&other);
	uint64_t left_ns = clock_wall_ns();
	worker_host_leave(&host, true);
	visitor_join(&other);
	assert_true(other.entered);
	assert_true(other.began_ns >= left_ns);
}

static void one_waits_to_be_alone(void **state)
{
	(void)state;
	struct leat_host host = new_host();
	struct visitor alone = {.host = &host, .alone = true};
	assert_true(worker_host_enter(&host, false));
	assert_true(worker_host_enter(&host, false));
	visitor_start(&alone);
	worker_host_leave(&host, true);
	uint64_t left_ns = clock_wall_ns();
	worker_host_leave(&host, true);
	visitor_join(&alone);
	assert_true(alone.entered);
	assert_true(alone.began_ns >= left_ns);
}

/* They begin beside it, each a turn after the one before. */
static void nobody_waits_for_ever_to_be_alone(void **state)
{
	(void)state;
	struct leat_host host = new_host();
	struct visitor visitors[2] = {
	    {.host = &host, .alone = true},
	    {.host = &host, .alone = true},
	};
	uint64_t start_ns = clock_wall_ns();
	assert_true(worker_host_enter(&host, false));
	visitor_start(&visitors[0]);
	visitor_start(&visitors[1]);
	visitor_join(&visitors[0]);
	visitor_join(&visitors[1]);
	assert_false(visitors[0].entered);
	assert_false(visitors[1].entered);
	assert_in_range(visitors[0].began_ns - start_ns, HOST_TURN_NS / 2, LONG_NS);
	assert_in_range(visitors[1].began_ns - visitors[0].began_ns, HOST_TURN_NS / 2, LONG_NS);
	worker_host_leave(&host, true);
	/* Who went on without being let in has changed nothing. */
	assert_true(worker_host_enter(&host, true));
	worker_host_leave(&host, true);
}

static void nobody_waits_for_ever_for_one_that_is_alone(void **state)
{
	(void)state;
	struct leat_host host = new_host();
	struct visitor others[2] = {{.host = &host}, {.host = &host, .alone = true}};
	assert_true(worker_host_enter(&host, true));
	for (int i = 0; i < 2; i++)
		visitor_start(&others[i]);
	for (int i = 0; i < 2; i++) {
		visitor_join(&others[i]);
		assert_false(others[i].entered);
	}
	worker_host_leave(&host, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(others_wait_for_one_that_is_alone),
	    cmocka_unit_test(one_waits_to_be_alone),
	    cmocka_unit_test(nobody_waits_for_ever_to_be_alone),
	    cmocka_unit_test(nobody_waits_for_ever_for_one_that_is_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
