/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const stages[] = {"mul.c:mul", "add.c:add"};

static const struct sample_call calls[] = {
    {0, 1, 0, 1000, 1000, 1},
    {1, 1, 1000, 1500, 400, 1},
    {0, 2, 1000, 2000, 1000, 1},
    {1, 2, 2000, 2500, 400, 1},
};

static char *table_text(const struct comparison *comparison)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	assert_int_equal(compare_print_table(to, &sample_ascii, comparison), 0);
	compare_print_outputs(to, comparison);
	fclose(to);
	return text;
}

static void assert_table(const struct comparison *comparison, const char *expected)
{
	char *text = table_text(comparison);
	assert_string_equal(text, expected);
	free(text);
}

static void test_table(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, stages, 2, 2);
	comparison.output = (struct records_total){.bytes = 4, .records = 2};
	sample_run(&comparison, "single", 3000, calls, 4);
	sample_run(&comparison, "shell", 2500, calls, 4);
	sample_mode(&comparison, "auto")->status = 3;
	assert_table(&comparison,
	    "mode    wall s  user s  sys s  cpu %  peak MiB  speed-up  bound s  wall/bound\n"
	    "single   3.000   2.800  0.000     93       1.0      1.00    2.400       1.250\n"
	    "shell    2.500   2.800  0.000    112       1.0      1.20    2.400       1.042\n"
	    "auto    failed\n"
	    "bound: the calls' cpu time alone as an ideal pipeline, a core for each stage\n"
	    "\n"
	    "stage      mode    calls  wall a call  cpu a call\n"
	    "mul.c:mul  single      2       1.00 s      1.00 s\n"
	    "mul.c:mul  shell       2       1.00 s      1.00 s\n"
	    "add.c:add  single      2       500 ms      400 ms\n"
	    "add.c:add  shell       2       500 ms      400 ms\n"
	    "outputs: identical in all 2 modes (4 bytes, 2 records)\n");
	comparison_fini(&comparison);
}

/* Medians and the spread, and a command's costs as estimates. */
static void test_rounds_and_commands(void **state)
{
	(void)state;
	static const char *const command[] = {"sort"};
	static const struct sample_call life[] = {{0, 0, 0, 900, 500, 0}};
	struct comparison comparison;
	sample_init(&comparison, command, 1, 1000);
	comparison.rounds = 3;
	sample_run(&comparison, "shell", 1200, life, 1);
	sample_run(&comparison, "shell", 900, life, 1);
	sample_run(&comparison, "shell", 1000, life, 1);
	char *text = table_text(&comparison);
	assert_non_null(strstr(text, "shell   1.000  0.150   0.500"));
	assert_non_null(strstr(text, "~0.500"));
	assert_non_null(strstr(text, "~500 us\n"));
	assert_non_null(strstr(text, "~: the calls of a command cannot be seen"));
	/* Nobody knows what it has read: nothing is said of it. */
	assert_null(strstr(text, "read"));
	free(text);
	for (size_t i = 0; i < 3; i++) {
		struct compare_stage *stage = &sample_mode(&comparison, "shell")->runs[i].stages[0];
		stage->has_io = true;
		stage->read_bytes = 123456789012;
	}
	text = table_text(&comparison);
	assert_non_null(strstr(text, "\nsort read 123456789012 bytes, wrote 0\n"));
	free(text);
	comparison_fini(&comparison);
}

static void test_all_failed(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, stages, 2, 2);
	sample_mode(&comparison, "single")->status = 3;
	comparison.reference = -1;
	assert_table(&comparison,
	    "mode    wall s  user s  sys s  cpu %  peak MiB  speed-up  bound s  wall/bound\n"
	    "single  failed\n");
	comparison_fini(&comparison);
}

static void test_difference(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, stages, 2, 2);
	sample_run(&comparison, "single", 3000, calls, 4);
	sample_run(&comparison, "shell", 2500, calls, 4);
	struct compare_mode *shell = sample_mode(&comparison, "shell");
	shell->differs = true;
	shell->difference = (struct records_difference){.byte = 17, .record = 3};
	char *text = table_text(&comparison);
	assert_non_null(strstr(
	    text, "outputs: shell differs from single, first in record 3 (byte offset 17)\n"));
	assert_null(strstr(text, "identical"));
	free(text);
	comparison_fini(&comparison);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_rounds_and_commands),
	    cmocka_unit_test(test_all_failed),
	    cmocka_unit_test(test_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
