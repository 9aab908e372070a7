/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_sample.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const stages[] = {"mul", "add"};

static const struct sample_call pipelined[] = {
    {0, 1, 0, 1000, 1000, 1},
    {1, 1, 1000, 1500, 500, 1},
    {0, 2, 1000, 2000, 1000, 1},
    {1, 2, 2000, 2500, 500, 1},
};

static char *timeline_text(const struct comparison *comparison, const struct terminal *terminal)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	assert_int_equal(compare_print_timeline(to, terminal, comparison), 0);
	fclose(to);
	return text;
}

static void assert_timeline(
    const struct comparison *comparison, const struct terminal *terminal, const char *expected)
{
	char *text = timeline_text(comparison, terminal);
	assert_string_equal(text, expected);
	free(text);
}

static void test_ascii(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, stages, 2, 2);
	sample_run(&comparison, "single", 3300, pipelined, 4);
	sample_run(&comparison, "shell", 2500, pipelined, 4);
	assert_timeline(&comparison, &sample_ascii,
	    "single, 3.300 s\n"
	    "mul |[1=======][2=======]             |\n"
	    "add |          [1==]     [2==]        |\n"
	    "shell, 2.500 s\n"
	    "mul |[1=======][2=======]     |\n"
	    "add |          [1==]     [2==]|\n"
	    "    0 s                          3.30 s\n");
	comparison_fini(&comparison);
}

static void test_utf8(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, stages, 2, 2);
	sample_run(&comparison, "shell", 3300, pipelined, 4);
	assert_timeline(&comparison, &sample_utf8,
	    "shell, 3.300 s\n"
	    "mul │├1───────┤├2───────┤             │\n"
	    "add │          ├1──┤     ├2──┤        │\n"
	    "    0 s                          3.30 s\n");
	comparison_fini(&comparison);
}

/* A batch names its records where there is room; the shortest is still seen. */
static void test_widths(void **state)
{
	(void)state;
	static const struct sample_call widths[] = {
	    {0, 1, 0, 1000, 1, 12},
	    {0, 13, 1000, 1300, 1, 12},
	    {0, 25, 1300, 1301, 1, 1},
	};
	struct comparison comparison;
	sample_init(&comparison, stages, 1, 25);
	sample_run(&comparison, "shell", 3300, widths, 3);
	assert_timeline(&comparison, &sample_ascii,
	    "shell, 3.300 s\n"
	    "mul |[1-12====][=]#                   |\n"
	    "    0 s                          3.30 s\n");
	comparison_fini(&comparison);
}

static void test_shades(void **state)
{
	(void)state;
	enum { CALLS = 330 };
	struct sample_call many[CALLS];
	for (unsigned i = 0; i < CALLS; i++)
		many[i] = (struct sample_call){0, i + 1, 10 * i, 10 * i + (i < 200 ? 10 : 3), 1, 1};
	struct comparison comparison;
	sample_init(&comparison, stages, 1, CALLS);
	sample_run(&comparison, "shell", 3300, many, CALLS);
	assert_timeline(&comparison, &sample_ascii,
	    "shell, 3.300 s\n"
	    "mul |####################.............|\n"
	    "    0 s                          3.30 s\n"
	    "calls too short for a block each: the shade is the share of a column's time spent in "
	    "calls\n");
	comparison_fini(&comparison);
}

static void test_command(void **state)
{
	(void)state;
	static const struct sample_call life[] = {{0, 0, 300, 3300, 1, 0}};
	struct comparison comparison;
	sample_init(&comparison, stages, 1, 25);
	sample_run(&comparison, "shell", 3300, life, 1);
	assert_timeline(&comparison, &sample_ascii,
	    "shell, 3.300 s\n"
	    "mul |   ------------------------------|\n"
	    "    0 s                          3.30 s\n");
	comparison_fini(&comparison);
}

/* The picture is that of the median round, and a failed mode has none. */
static void test_median_round(void **state)
{
	(void)state;
	struct comparison comparison;
	sample_init(&comparison, stages, 2, 2);
	comparison.rounds = 3;
	sample_run(&comparison, "shell", 2500, pipelined, 4);
	sample_run(&comparison, "shell", 9900, pipelined, 4);
	sample_run(&comparison, "shell", 3300, pipelined, 4);
	sample_mode(&comparison, "auto")->status = 3;
	char *text = timeline_text(&comparison, &sample_ascii);
	assert_non_null(strstr(text, "shell, 3.300 s\n"));
	assert_null(strstr(text, "auto"));
	free(text);
	comparison_fini(&comparison);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ascii),
	    cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_widths),
	    cmocka_unit_test(test_shades),
	    cmocka_unit_test(test_command),
	    cmocka_unit_test(test_median_round),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
