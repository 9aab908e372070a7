/* SPDX-License-Identifier: Apache-2.0 */
#include "number.h"

#include "scratch.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All powers of two and their neighbours, and some thousands at random. */
#define N_POWERS  (1074 + 1024)
#define N_DOUBLES (3 * N_POWERS + 6000)

static void reads_integers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t value;
		int result;
	} cases[] = {
	    {"0", 0, 0},
	    {"-0", 0, 0},
	    {"+7", 7, 0},
	    {"0007", 7, 0},
	    {" \t\n\v\f\r-42 \t\n\v\f\r", -42, 0},
	    {"9223372036854775807", INT64_MAX, 0},
	    {"-9223372036854775808", INT64_MIN, 0},
	    {"00000000000000000000000000009", 9, 0},
	    {"9223372036854775808", 0, -ERANGE},
	    {"-9223372036854775809", 0, -ERANGE},
	    {"18446744073709551616", 0, -ERANGE},
	    {"99999999999999999999999999999", 0, -ERANGE},
	    {"99999999999999999999999999999x", 0, -EINVAL},
	    {"", 0, -EINVAL},
	    {" ", 0, -EINVAL},
	    {"-", 0, -EINVAL},
	    {"+-1", 0, -EINVAL},
	    {"- 1", 0, -EINVAL},
	    {"1 2", 0, -EINVAL},
	    {"1.0", 0, -EINVAL},
	    {"0x10", 0, -EINVAL},
	    {"1e3", 0, -EINVAL},
	    {"1/", 0, -EINVAL},
	    {"1:", 0, -EINVAL},
	    {"\xd9\xa1", 0, -EINVAL},
	    {"\x1c"
	     "1",
		0, -EINVAL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = 0;
		int r = number_parse_i64(cases[i].text, strlen(cases[i].text), &value);
		if (r != cases[i].result || value != cases[i].value)
			fail_msg("'%s': %d, %" PRId64, cases[i].text, r, value);
	}
}

/* Neither the byte behind the text nor one inside that ends a C string counts. */
static void minds_the_size(void **state)
{
	(void)state;
	int64_t n;
	double x;
	assert_int_equal(number_parse_i64("123", 2, &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(number_parse_i64("12\0", 3, &n), -EINVAL);
	assert_int_equal(number_parse_f64("1.25", 3, &x), 0);
	assert_true(x == 1.2);
	assert_int_equal(number_parse_f64("12\0", 3, &x), -EINVAL);
}

static void check_i64(int64_t value)
{
	char expected[32];
	char text[NUMBER_I64_MAX];
	int size = snprintf(expected, sizeof(expected), "%" PRId64, value);
	assert_int_equal(number_print_i64(text, value), size);
	assert_memory_equal(text, expected, (size_t)size);
	int64_t again;
	assert_int_equal(number_parse_i64(text, (size_t)size, &again), 0);
	assert_int_equal(again, value);
}

static void writes_integers(void **state)
{
	(void)state;
	check_i64(INT64_MIN);
	check_i64(INT64_MAX);
	check_i64(0);
	for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
		check_i64(power - 1);
		check_i64(power);
		check_i64(power * 9 + power - 1);
		check_i64(-power);
	}
	for (unsigned bit = 0; bit < 63; bit++) {
		check_i64((int64_t)1 << bit);
		check_i64(-((int64_t)1 << bit) - 1);
	}
}

static void reads_doubles(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} cases[] = {
	    {"0", 0.0},
	    {"-0", -0.0},
	    {" +1.5\n", 1.5},
	    {".5", 0.5},
	    {"5.", 5.0},
	    {"1e3", 1000.0},
	    {"1E-3", 0.001},
	    {"1.e+2", 100.0},
	    {"0.1", 0.1},
	    {"123456789012345678", 123456789012345678.0},
	    {"9007199254740993", 9007199254740992.0},
	    {"9007199254740993.00000000000000000000000000000000000000001", 9007199254740994.0},
	    {"1e22", 1e22},
	    {"1e23", 1e23},
	    {"2.2250738585072011e-308", 2.2250738585072011e-308},
	    {"4.9406564584124654e-324", 4.9406564584124654e-324},
	    {"1e-400", 0.0},
	    {"1e400", (double)INFINITY},
	    {"-1e99999999999999999999", (double)-INFINITY},
	    {"0e99999999999999999999", 0.0},
	    {"1e-99999999999999999999", 0.0},
	    {"inf", (double)INFINITY},
	    {"-Infinity", (double)-INFINITY},
	    {"+INF", (double)INFINITY},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = 7;
		int r = number_parse_f64(cases[i].text, strlen(cases[i].text), &value);
		if (r != 0 || value != cases[i].value ||
		    !signbit(value) != !signbit(cases[i].value))
			fail_msg("'%s': %d, %a", cases[i].text, r, value);
	}
	double nan = 0;
	assert_int_equal(number_parse_f64("NaN", 3, &nan), 0);
	assert_true(isnan(nan));
}

static void refuses_what_is_no_double(void **state)
{
	(void)state;
	static const char *const cases[] = {"", " ", ".", "-", "+-1", "- 1", "e5", "1e", "1e+",
	    "1e5.", "1 2", "0x10", "0x1p3", "1_0", "1,5", "infinit", "infinityy", "nan(1)", "1f",
	    "1.2.3", "in", "--inf"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = 7;
		int r = number_parse_f64(cases[i], strlen(cases[i]), &value);
		if (r != -EINVAL || value != 7)
			fail_msg("'%s': %d, %a", cases[i], r, value);
	}
}

/* More digits than fit anywhere: 0.1 and 100,000 zeros, and a last digit that decides a tie. */
static void reads_long_doubles(void **state)
{
	(void)state;
	size_t size = 100000;
	char *text = malloc(size);
	assert_non_null(text);
	memset(text, '0', size);
	double value;
	memcpy(text, "0.1", 3);
	assert_int_equal(number_parse_f64(text, size, &value), 0);
	assert_true(value == 0.1);
	memcpy(text, "9007199254740993.", 17);
	assert_int_equal(number_parse_f64(text, size, &value), 0);
	assert_true(value == 9007199254740992.0);
	text[size - 1] = '1';
	assert_int_equal(number_parse_f64(text, size, &value), 0);
	assert_true(value == 9007199254740994.0);
	free(text);
}

static void check_repr(double value, const char *expected)
{
	char text[NUMBER_F64_MAX + 1];
	size_t size = number_print_f64(text, value);
	assert_true(size <= NUMBER_F64_MAX);
	text[size] = '\0';
	if (strcmp(text, expected) != 0)
		fail_msg("%a: %s, not %s", value, text, expected);
}

static void writes_doubles(void **state)
{
	(void)state;
	check_repr(0.0, "0.0");
	check_repr(-0.0, "-0.0");
	check_repr(1.0, "1.0");
	check_repr(-1.5, "-1.5");
	check_repr(0.1, "0.1");
	check_repr(0.1 + 0.2, "0.30000000000000004");
	check_repr(100.0, "100.0");
	check_repr(123456.789, "123456.789");
	check_repr(0.0001, "0.0001");
	check_repr(0.00001, "1e-05");
	check_repr(1.5e-07, "1.5e-07");
	check_repr(-7.0, "-7.0");
	check_repr(2251799813685249.5, "2251799813685249.5");
	check_repr(9007199254740991.0, "9007199254740991.0");
	check_repr(9007199254740992.0, "9007199254740992.0");
	check_repr(9007199254740994.0, "9007199254740994.0");
	check_repr(1e-300 + 1e-308, "1.00000001e-300");
	check_repr(1e15, "1000000000000000.0");
	check_repr(9999999999999998.0, "9999999999999998.0");
	check_repr(1e16, "1e+16");
	check_repr(12345678901234567890.0, "1.2345678901234567e+19");
	check_repr(1e22, "1e+22");
	check_repr(1e23, "1e+23");
	check_repr(2e23, "2e+23");
	check_repr(1e100, "1e+100");
	check_repr(5e-324, "5e-324");
	check_repr(2.2250738585072014e-308, "2.2250738585072014e-308");
	check_repr(-1.7976931348623157e308, "-1.7976931348623157e+308");
	/* The neighbours of a power of two are not equally far: two where that matters. */
	check_repr(0x1p-44, "5.684341886080802e-14");
	check_repr(0x1p-1021, "4.450147717014403e-308");
	check_repr((double)INFINITY, "inf");
	check_repr((double)-INFINITY, "-inf");
	check_repr((double)NAN, "nan");
	check_repr((double)-NAN, "nan");
}

static uint64_t next_random(uint64_t *seed)
{
	/* xorshift64: the same doubles in every run. */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Then doubles of any bits and of everyday sizes. */
static void make_doubles(double *doubles)
{
	uint64_t seed = 88172645463325252;
	for (int i = 0; i < N_DOUBLES; i++) {
		if (i < 3 * N_POWERS) {
			double power = ldexp(1.0, i / 3 - 1074);
			doubles[i] =
			    i % 3 == 0 ? power : nextafter(power, i % 3 == 1 ? 0.0 : 1e308);
		} else if (i % 2 == 0) {
			uint64_t bits = next_random(&seed);
			memcpy(&doubles[i], &bits, sizeof(bits));
		} else {
			double hundredths = (double)(next_random(&seed) >> (i % 64));
			doubles[i] = hundredths / 100;
		}
	}
}

static void reads_what_it_wrote(void **state)
{
	(void)state;
	static double doubles[N_DOUBLES];
	make_doubles(doubles);
	for (int i = 0; i < N_DOUBLES; i++) {
		char text[NUMBER_F64_MAX];
		size_t size = number_print_f64(text, doubles[i]);
		double again = 7;
		assert_int_equal(number_parse_f64(text, size, &again), 0);
		if (again != doubles[i] && !(isnan(again) && isnan(doubles[i])))
			fail_msg("%a: %.*s", doubles[i], (int)size, text);
	}
}

static void writes_as_python_does(void **state)
{
	(void)state;
	static double doubles[N_DOUBLES];
	make_doubles(doubles);
	const char *path = scratch_path("doubles");
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(doubles, sizeof(double), N_DOUBLES, file), N_DOUBLES);
	assert_int_equal(fclose(file), 0);
	char command[512];
	snprintf(command, sizeof(command),
	    "python3 -c 'import array, sys\n"
	    "for x in array.array(\"d\", open(sys.argv[1], \"rb\").read()): print(repr(x))' %s",
	    path);
	FILE *python = popen(command, "re");
	assert_non_null(python);
	int n = 0;
	for (char line[64]; fgets(line, sizeof(line), python); n++) {
		assert_true(n < N_DOUBLES);
		line[strcspn(line, "\n")] = '\0';
		check_repr(doubles[n], line);
	}
	/* The shell's way to say that there is no such program: then there is nothing to compare.
	 */
	if (WEXITSTATUS(pclose(python)) != 127)
		assert_int_equal(n, N_DOUBLES);
}

static void ignores_the_locale(void **state)
{
	(void)state;
	static const char *const with_comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8"};
	bool set = false;
	for (size_t i = 0; i < 3 && !set; i++)
		set = setlocale(LC_ALL, with_comma[i]) != NULL;
	/* Not every machine has one; cmocka's skip() would count as a failure. */
	if (!set)
		return;
	double value;
	/* Too many digits for the short cut. */
	assert_int_equal(number_parse_f64("1.2345678901234567890", 21, &value), 0);
	assert_true(value == 1.2345678901234567890);
	check_repr(1.5, "1.5");
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_integers),
	    cmocka_unit_test(minds_the_size),
	    cmocka_unit_test(writes_integers),
	    cmocka_unit_test(reads_doubles),
	    cmocka_unit_test(refuses_what_is_no_double),
	    cmocka_unit_test(reads_long_doubles),
	    cmocka_unit_test(writes_doubles),
	    cmocka_unit_test(reads_what_it_wrote),
	    cmocka_unit_test_setup_teardown(writes_as_python_does, scratch_setup, scratch_teardown),
	    cmocka_unit_test(ignores_the_locale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
