/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CALLS(...)                                                                                 \
	(const struct sample_call[]){__VA_ARGS__},                                                 \
	    sizeof((const struct sample_call[]){__VA_ARGS__}) / sizeof(struct sample_call)

static const char *const pythons[] = {"mul.py:mul", "py:sums:add"};
static const char *const natives[] = {"mul.c:mul", "add.so:add"};
static const char *const commands[] = {"sort", "gzip -c"};

/* One of the sentences, or the start of one. */
static void assert_says(struct comparison *comparison, const char *sentence)
{
	char *text = sample_why(comparison);
	if (!strstr(text, sentence))
		fail_msg("\"%s\" is not in:\n%s", sentence, text);
	free(text);
}

static void assert_never_says(struct comparison *comparison, const char *words)
{
	char *text = sample_why(comparison);
	if (strstr(text, words))
		fail_msg("\"%s\" is in:\n%s", words, text);
	free(text);
}

/* Two records of 1 s through two stages, one after the other. */
static void add_single(struct comparison *comparison)
{
	sample_run(comparison, "single", 4100,
	    CALLS({0, 1, 50, 1050, 1000, 1}, {1, 1, 1050, 2050, 1000, 1},
		{0, 2, 2050, 3050, 1000, 1}, {1, 2, 3050, 4050, 1000, 1}));
}

/* The second call of the one stage and the first of the other take turns on one core. */
static void add_contended(struct comparison *comparison, const char *mode)
{
	sample_run(comparison, mode, 4200,
	    CALLS({0, 1, 50, 1050, 1000, 1}, {0, 2, 1050, 3050, 1000, 1},
		{1, 1, 1050, 3050, 1000, 1}, {1, 2, 3050, 4050, 1000, 1}));
}

static void add_pipelined(struct comparison *comparison, const char *mode)
{
	sample_run(comparison, mode, 3100,
	    CALLS({0, 1, 50, 1050, 1000, 1}, {0, 2, 1050, 2050, 1000, 1},
		{1, 1, 1050, 2050, 1000, 1}, {1, 2, 2050, 3050, 1000, 1}));
}

static void test_lock(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, pythons, 2, 2);
	add_single(&comparison);
	add_contended(&comparison, "threads");
	assert_says(&comparison, "single: one record at a time, so no two stages overlapped.\n");
	assert_says(&comparison,
	    "threads: mul.py:mul and py:sums:add overlapped for 48 % of the time, but their "
	    "calls took 6.00 s of wall for 4.00 s of cpu: they waited for the interpreter's "
	    "lock, so nothing was gained; 2 % more time than single.\n");
	comparison_fini(&comparison);
}

/* The same picture without a shared interpreter must not be called a lock. */
static void test_no_lock_without_python(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, natives, 2, 2);
	add_single(&comparison);
	add_contended(&comparison, "threads");
	assert_never_says(&comparison, "lock");
	comparison_fini(&comparison);
}

static void test_no_lock_between_processes(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, pythons, 2, 2);
	add_single(&comparison);
	add_contended(&comparison, "processes");
	assert_never_says(&comparison, "lock");
	comparison_fini(&comparison);
}

/* Python's sleep gives the lock up: nobody has waited for it. */
static void test_sleep_is_no_lock(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, pythons, 2, 2);
	sample_run(&comparison, "threads", 3000,
	    CALLS({0, 1, 0, 1000, 1, 1}, {0, 2, 1000, 2000, 1, 1}, {1, 1, 1000, 2000, 1, 1},
		{1, 2, 2000, 3000, 1, 1}));
	assert_says(&comparison, "they slept or waited for I/O");
	assert_never_says(&comparison, "lock");
	comparison_fini(&comparison);
}

static void test_core(void **state)
{
	(void)state;
	static const char *const four[] = {"a.c:a", "b.c:b", "c.c:c", "d.c:d"};
	struct comparison comparison;
	sample_init(&comparison, four, 4, 1);
	sample_run(&comparison, "processes", 2000,
	    CALLS({0, 1, 0, 2000, 1000, 1}, {1, 1, 0, 2000, 1000, 1}, {2, 1, 0, 2000, 1000, 1},
		{3, 1, 0, 2000, 1000, 1}));
	assert_says(&comparison, "two or more stages overlapped for 100 % of the time, but their "
				 "calls took 8.00 s of wall for 4.00 s of cpu: they waited for a "
				 "core");
	comparison_fini(&comparison);
}

/* A library's threads computed while the call's own thread waited for them. */
static void test_helpers(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, pythons, 2, 1);
	sample_run(&comparison, "processes", 2000,
	    CALLS({0, 1, 0, 1000, 1, 1}, {1, 1, 1000, 2000, 1000, 1}));
	comparison.modes[0].runs[0].user_ns += 900 * UINT64_C(1000000);
	assert_says(&comparison, "and mul.py:mul's calls took 1.00 s of wall for 1.00 ms of cpu: "
				 "they slept, or waited for I/O, a core or other threads");
	comparison_fini(&comparison);
}

static void test_gain(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, natives, 2, 2);
	add_single(&comparison);
	add_pipelined(&comparison, "processes");
	add_pipelined(&comparison, "shell");
	assert_says(&comparison, "processes: mul.c:mul and add.so:add overlapped for 32 % of the "
				 "time; 24 % less time than single.\n");
	assert_says(&comparison, "best: processes, 3.10 s, 1.32 times as fast as single; as fast: "
				 "shell (within 2 %).\n");
	assert_says(&comparison, "bottleneck: mul.c:mul, 1.00 s a record; closely followed by "
				 "add.so:add, 1.00 s; processes took 3.3 % more than the bound.\n");
	comparison_fini(&comparison);
}

/* Rounds that differ among themselves prove nothing about a smaller difference. */
static void test_within_spread(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, natives, 2, 2);
	comparison.rounds = 3;
	for (unsigned i = 0; i < 3; i++) {
		sample_run(&comparison, "single", 1000 + 100 * i, CALLS({0, 1, 0, 900, 900, 1}));
		sample_run(&comparison, "threads", 950 + 100 * i, CALLS({0, 1, 0, 900, 900, 1}));
	}
	assert_says(&comparison, "as fast as single within the spread");
	assert_says(&comparison, "best: threads, 1.05 s; as fast: single (within the spread).\n");
	assert_never_says(&comparison, "less time");
	comparison_fini(&comparison);
}

static void test_commands(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, commands, 2, 100);
	sample_run(
	    &comparison, "shell", 1000, CALLS({0, 0, 0, 1000, 700, 0}, {1, 0, 0, 1000, 500, 0}));
	assert_says(
	    &comparison, "shell: 1.20 cores were busy (the calls of commands cannot be seen).\n");
	assert_says(&comparison, "bottleneck: sort, about 7.00 ms a record; next gzip -c");
	comparison_fini(&comparison);
}

static void test_idle(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, natives, 1, 1);
	sample_run(&comparison, "threads", 100, CALLS({0, 1, 80, 90, 10, 1}));
	assert_says(&comparison, "threads: a single stage has nothing to overlap with; no stage "
				 "was in a call for 90 % of the time, 80.0 ms of it before the "
				 "first.\n");
	comparison_fini(&comparison);
}

/* Another result is no gain, and a failed mode has nothing to explain. */
static void test_wrong_modes(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, natives, 2, 2);
	add_single(&comparison);
	add_pipelined(&comparison, "processes");
	sample_mode(&comparison, "processes")->differs = true;
	sample_mode(&comparison, "shell")->status = 3;
	assert_says(
	    &comparison, "best: single, 4.10 s, no other mode with the same output was faster.\n");
	assert_never_says(&comparison, "shell:");
	comparison_fini(&comparison);
}

static void test_no_records(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, natives, 2, 0);
	sample_run(&comparison, "single", 10, NULL, 0);
	assert_says(&comparison, "single: no calls were seen.\n");
	assert_never_says(&comparison, "bottleneck");
	comparison_fini(&comparison);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lock),
	    cmocka_unit_test(test_no_lock_without_python),
	    cmocka_unit_test(test_no_lock_between_processes),
	    cmocka_unit_test(test_sleep_is_no_lock),
	    cmocka_unit_test(test_core),
	    cmocka_unit_test(test_helpers),
	    cmocka_unit_test(test_gain),
	    cmocka_unit_test(test_within_spread),
	    cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_idle),
	    cmocka_unit_test(test_wrong_modes),
	    cmocka_unit_test(test_no_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
