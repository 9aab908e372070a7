/* SPDX-License-Identifier: Apache-2.0 */
#include "cores.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void what_is_allowed_is_counted(void **state)
{
	(void)state;
	cpu_set_t all;
	cpu_set_t one;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_in_range(cores_usable(), 1, CPU_COUNT(&all));
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cores_usable(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void write_line(const char *folder, const char *name, const char *line)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(line, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_quota_is_counted(void **state)
{
	(void)state;
	char second[] = "/tmp/leat-cores-XXXXXX";
	char first[] = "/tmp/leat-cores-XXXXXX";
	assert_non_null(mkdtemp(second));
	assert_int_equal(cores_of_folder(second), 0);
	static const struct {
		const char *line;
		unsigned cores;
	} cases[] = {{"max 100000\n", 0}, {"50000 100000\n", 1}, {"200000 100000\n", 2},
	    {"150000 100000\n", 2}, {"junk\n", 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_line(second, "cpu.max", cases[i].line);
		assert_int_equal(cores_of_folder(second), cases[i].cores);
	}
	assert_non_null(mkdtemp(first));
	write_line(first, "cpu.cfs_quota_us", "-1\n");
	write_line(first, "cpu.cfs_period_us", "100000\n");
	assert_int_equal(cores_of_folder(first), 0);
	write_line(first, "cpu.cfs_quota_us", "250000\n");
	assert_int_equal(cores_of_folder(first), 3);
	char command[256];
	snprintf(command, sizeof(command), "rm -r %s %s", first, second);
	assert_int_equal(system(command), 0);
}

static void a_person_may_say_otherwise(void **state)
{
	(void)state;
	unsigned before = cores_usable();
	setenv("LEAT_CORES", "17", 1);
	assert_int_equal(cores_usable(), 17);
	setenv("LEAT_CORES", "many", 1);
	assert_int_equal(cores_usable(), before);
	setenv("LEAT_CORES", "0", 1);
	assert_int_equal(cores_usable(), before);
	unsetenv("LEAT_CORES");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_allowed_is_counted),
	    cmocka_unit_test(a_quota_is_counted),
	    cmocka_unit_test(a_person_may_say_otherwise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
