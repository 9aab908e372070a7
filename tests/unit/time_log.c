/* SPDX-License-Identifier: Apache-2.0 */
#include "time_log.h"

#include "slot.h"
#include "tiny_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void logged(const struct region *region, enum leat_time_log level, const char *expected)
{
	char text[1024] = "";
	int fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(fd >= 0);
	struct time_log log = {level, fd};
	time_log_retire(&log, region, slot_at(region, 0));
	assert_true(pread(fd, text, sizeof(text) - 1, 0) >= 0);
	assert_string_equal(text, expected);
	close(fd);
}

static void logs_each_call(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 2);
	struct slot *slot = slot_at(&region, 0);
	slot->first_record = 3;
	slot->n_source_records = 2;
	slot->history[0] = (struct slot_history){
	    .start_ns = 1000, .end_ns = 2500001000, .cpu_ns = 7, .worker = 1, .records_in = 2};
	region_worker(&region, 1)->pid = 77;
	logged(&region, LEAT_TIME_LOG_PLAIN, "Time cost for a 2.500000000\n");
	logged(&region, LEAT_TIME_LOG_FULL,
	    "Time cost for a 2.500000000 records 3-4 cpu 0.000000007 worker 1 pid 77\n");
	/* A stage may have written anything over the slots. */
	slot->history[0].worker = UINT32_MAX;
	logged(&region, LEAT_TIME_LOG_FULL,
	    "Time cost for a 2.500000000 records 3-4 cpu 0.000000007 worker 4294967295 pid 0\n");
	region_free(&region);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(logs_each_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
