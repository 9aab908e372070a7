/* SPDX-License-Identifier: Apache-2.0 */
#include "thread.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void *read_one(void *argument)
{
	char byte;
	ssize_t n = read(*(int *)argument, &byte, 1);
	(void)n;
	return NULL;
}

static void joins_what_ends(void **state)
{
	(void)state;
	pthread_t thread;
	int bell = fd_bell();
	/* Not blocking: it ends at once. */
	assert_int_equal(pthread_create(&thread, NULL, read_one, &bell), 0);
	assert_int_equal(thread_join(thread), 0);
	close(bell);
}

static void gives_up_on_what_is_stuck(void **state)
{
	(void)state;
	pthread_t thread;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_one, &ends[0]), 0);
	uint64_t start_ns = clock_wall_ns();
	assert_int_equal(thread_join(thread), -ETIMEDOUT);
	uint64_t took_ns = clock_wall_ns() - start_ns;
	assert_true(took_ns >= CLOCK_NS_PER_S / 6);
	assert_true(took_ns < 5 * CLOCK_NS_PER_S);
	/* It is still there, and can be joined once it moves. */
	close(ends[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(ends[0]);
}

/* What the thread wrote is seen after the join: ThreadSanitizer looks on. */
static void *write_number(void *argument)
{
	*(int *)argument = 7;
	return NULL;
}

static void a_join_orders_memory(void **state)
{
	(void)state;
	pthread_t thread;
	int *number = malloc(sizeof(*number));
	assert_non_null(number);
	assert_int_equal(pthread_create(&thread, NULL, write_number, number), 0);
	assert_int_equal(thread_join(thread), 0);
	assert_int_equal(*number, 7);
	*number = 8;
	free(number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(joins_what_ends),
	    cmocka_unit_test(gives_up_on_what_is_stuck),
	    cmocka_unit_test(a_join_orders_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
