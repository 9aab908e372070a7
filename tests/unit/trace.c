/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct trace_event call_event(uint64_t record)
{
	return (struct trace_event){
	    .type = TRACE_CALL,
	    .stage = 1,
	    .call = {.first_record = record, .start_ns = 10 * record, .end_ns = 10 * record + 5},
	};
}

static int trace_open(void)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

static void assert_calls(int fd, const uint64_t *records, size_t n)
{
	struct trace_event *events = NULL;
	size_t have = 0;
	assert_int_equal(trace_read(fd, &events, &have), 0);
	assert_int_equal(have, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(events[i].type, TRACE_CALL);
		assert_int_equal(events[i].call.first_record, records[i]);
	}
	free(events);
	close(fd);
}

static void test_empty(void **state)
{
	(void)state;
	assert_calls(trace_open(), NULL, 0);
}

static void test_round_trip(void **state)
{
	(void)state;
	int fd = trace_open();
	struct trace_event events[] = {call_event(1), call_event(2)};
	assert_int_equal(trace_write(fd, events, 2), 0);
	assert_int_equal(trace_write(fd, events, 1), 0);
	assert_calls(fd, (const uint64_t[]){1, 2, 1}, 3);
}

static void test_truncated_tail(void **state)
{
	(void)state;
	int fd = trace_open();
	struct trace_event events[] = {call_event(1), call_event(2)};
	assert_int_equal(trace_write(fd, events, 2), 0);
	assert_int_equal(ftruncate(fd, sizeof(events) - 1), 0);
	assert_calls(fd, (const uint64_t[]){1}, 1);
}

static void test_unknown_type(void **state)
{
	(void)state;
	int fd = trace_open();
	struct trace_event events[] = {call_event(1), call_event(2), call_event(3)};
	events[1].type = 0x6c74ffff;
	assert_int_equal(trace_write(fd, events, 3), 0);
	assert_calls(fd, (const uint64_t[]){1, 3}, 2);
}

/* A writer was killed in the middle of an event; the others went on. */
static void test_cut_in_the_middle(void **state)
{
	(void)state;
	int fd = trace_open();
	struct trace_event events[] = {call_event(1), call_event(2), call_event(3), call_event(4)};
	assert_int_equal(trace_write(fd, events, 1), 0);
	assert_int_equal(write(fd, &events[1], 32), 32);
	assert_int_equal(trace_write(fd, events + 2, 2), 0);
	struct trace_event *read = NULL;
	size_t n = 0;
	assert_int_equal(trace_read(fd, &read, &n), 0);
	assert_true(n >= 2);
	assert_int_equal(read[0].call.first_record, 1);
	assert_int_equal(read[n - 1].call.first_record, 4);
	free(read);
	close(fd);
}

/* A trace is a file, so a name in it need not be a string. */
static void test_name_is_ended(void **state)
{
	(void)state;
	int fd = trace_open();
	struct trace_event event = {.type = TRACE_STAGE};
	memset(event.name, 'x', sizeof(event.name));
	assert_int_equal(trace_write(fd, &event, 1), 0);
	struct trace_event *events = NULL;
	size_t n = 0;
	assert_int_equal(trace_read(fd, &events, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(strlen(events[0].name), sizeof(event.name) - 1);
	free(events);
	close(fd);
}

static void test_bad_descriptor(void **state)
{
	(void)state;
	struct trace_event event = call_event(1);
	struct trace_event *events = NULL;
	size_t n = 0;
	assert_int_equal(trace_write(-1, &event, 1), -EBADF);
	assert_int_equal(trace_read(-1, &events, &n), -EBADF);
	assert_null(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_truncated_tail),
	    cmocka_unit_test(test_unknown_type),
	    cmocka_unit_test(test_cut_in_the_middle),
	    cmocka_unit_test(test_name_is_ended),
	    cmocka_unit_test(test_bad_descriptor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
