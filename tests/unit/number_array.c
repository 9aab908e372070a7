/* SPDX-License-Identifier: Apache-2.0 */
#include "number_array.h"

#include "number.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* The longest text here, and the most numbers in one. */
#define TEXT 100

#define ROUNDS 300000

/* Where a page that can be read ends, and one that cannot begins. */
static char *page_end;

static int make_pages(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
	    mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) < 0)
		return -1;
	page_end = pages + page;
	return 0;
}

static uint64_t seed;

static uint64_t next_random(void)
{
	/* xorshift64: the same numbers in every run. */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A random number of a random size in bits, of any sign. */
static int64_t random_i64(void)
{
	uint64_t value = next_random() >> (next_random() % 64);
	return next_random() % 2 ? (int64_t)value : (int64_t)(0 - value);
}

/* Where the next number begins if this one is a plain integer, read digit by digit; else NULL. */
static const char *scan_slowly(const char *at, const char *end, char separator, int64_t *ret)
{
	const char *stop = memchr(at, separator, (size_t)(end - at));
	const char *first = at + (at < end && *at == '-');
	if (!stop || first == stop || stop - first > 18 ||
	    (size_t)(stop - first) != strspn(first, "0123456789"))
		return NULL;
	assert_int_equal(number_parse_i64(at, (size_t)(stop - at), ret), 0);
	return stop + 1;
}

/* Reads a text that ends where nothing more can be read, and compares. Returns how many it read. */
static uint32_t check_scan_i64(const char *text, size_t size, char separator, uint32_t most)
{
	char *copy = memcpy(page_end - size, text, size);
	/* strspn() must stop; what it looks at is not the page. */
	char ended[TEXT + 1];
	assert_true(size <= TEXT);
	memcpy(ended, text, size);
	ended[size] = '\0';
	int64_t expected[TEXT];
	uint32_t n = 0;
	const char *slow = ended;
	while (n < most && slow < ended + size) {
		const char *next = scan_slowly(slow, ended + size, separator, &expected[n]);
		if (!next)
			break;
		slow = next;
		n++;
	}
	int64_t values[TEXT];
	const char *at = copy;
	uint32_t found = number_array_scan_i64(&at, page_end, separator, values, most);
	if (found != n || at - copy != slow - ended)
		fail_msg("%u numbers in %td bytes, not %u in %td: '%s'", found, at - copy, n,
		    slow - ended, ended);
	for (uint32_t i = 0; i < n; i++) {
		if (values[i] != expected[i])
			fail_msg(
			    "%" PRId64 ", not %" PRId64 ": '%s'", values[i], expected[i], ended);
	}
	return n;
}

/* Behind a text that has no end of its own: the digits of another number, and so on. */
static void check_followed(const char *text, size_t size, uint32_t n)
{
	char longer[TEXT];
	memcpy(longer, text, size);
	for (size_t more = 0; more <= 40; more++) {
		memset(longer + size, '7', more);
		assert_int_equal(check_scan_i64(longer, size + more, '\n', TEXT), n);
	}
}

static void reads_each_length(void **state)
{
	(void)state;
	static const char digits[] = "123456789012345678901234567890";
	char text[TEXT];
	for (int n = 0; n <= 30; n++) {
		for (int zeros = 0; zeros <= n; zeros++) {
			for (int minus = 0; minus <= 1; minus++) {
				int size = snprintf(text, sizeof(text), "%.*s%0*d%.*s\n", minus,
				    "-", zeros, 0, n - zeros, digits);
				if (zeros == 0)
					size = snprintf(text, sizeof(text), "%.*s%.*s\n", minus,
					    "-", n, digits);
				check_followed(text, (size_t)size, n >= 1 && n <= 18);
			}
		}
	}
}

static void refuses_what_is_not_plain(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t n;
	} cases[] = {
	    {"0\n", 1},
	    {"-0\n", 1},
	    {"007\n", 1},
	    {"\n", 0},
	    {"-\n", 0},
	    {"--1\n", 0},
	    {"-1-\n", 0},
	    {"1-\n", 0},
	    {"+1\n", 0},
	    {" 1\n", 0},
	    {"1 \n", 0},
	    {"1.0\n", 0},
	    {"1/\n", 0},
	    {"1:\n", 0},
	    {"\xb1\n", 0},
	    {"1\xff\n", 0},
	    {"1\r\n", 0},
	    {"12345678x\n", 0},
	    {"1234567812345678x\n", 0},
	    {"9223372036854775807\n", 0},
	    {"-9223372036854775808\n", 0},
	    {"999999999999999999\n", 1},
	    {"-999999999999999999\n", 1},
	    {"1\n2\n\n3\n", 2},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_followed(cases[i].text, strlen(cases[i].text), cases[i].n);
	check_followed("1\0\n", 3, 0);
	check_followed("12345678\0\n", 10, 0);
	assert_int_equal(check_scan_i64("1\0-23\0004\n\0", 9, '\0', TEXT), 2);
	assert_int_equal(check_scan_i64("1\n2\n3\n", 6, '\n', 2), 2);
	assert_int_equal(check_scan_i64("1\n2\n3\n", 6, '\n', 0), 0);
	assert_int_equal(check_scan_i64("", 0, '\n', TEXT), 0);
}

/* Every byte in each place of a number. */
static void reads_nothing_but_digits(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 18; size++) {
		char text[TEXT];
		memset(text, '1', size);
		text[size] = '\n';
		for (size_t place = 0; place < size; place++) {
			for (int byte = 0; byte < 256; byte++) {
				text[place] = (char)byte;
				check_scan_i64(text, size + 1, '\n', TEXT);
			}
			text[place] = '1';
		}
	}
}

static void reads_rows_of_anything(void **state)
{
	(void)state;
	/* Digits and separators often, the rest now and then. */
	static const char often[] = "0123456789012345678901234567890123456789-\n\n\n\n\n\n\n\n";
	static const char seldom[] = "+ .x\0e\r/:";
	seed = 88172645463325252;
	uint32_t read = 0;
	for (int round = 0; round < ROUNDS; round++) {
		char text[TEXT];
		size_t size = next_random() % sizeof(text);
		for (size_t i = 0; i < size; i++)
			text[i] = next_random() % 200 == 0
				      ? seldom[next_random() % sizeof(seldom)]
				      : often[next_random() % (sizeof(often) - 1)];
		read += check_scan_i64(text, size, '\n', TEXT);
	}
	assert_true(read > ROUNDS);
}

static void reads_rows_of_numbers(void **state)
{
	(void)state;
	seed = 362436069;
	for (int round = 0; round < ROUNDS; round++) {
		char text[TEXT + NUMBER_I64_MAX];
		size_t size = 0;
		while (size < TEXT - NUMBER_I64_MAX) {
			size += number_print_i64(text + size, random_i64());
			text[size++] = '\n';
		}
		check_scan_i64(text, size, '\n', TEXT);
	}
}

/* The quick way must be taken for what it says, and may not for the rest. */
static bool plain_f64(const char *text, size_t size)
{
	const char *at = text + (size > 0 && *text == '-');
	size_t whole = strspn(at, "0123456789");
	size_t fraction = 0;
	at += whole;
	if (*at == '.') {
		fraction = strspn(at + 1, "0123456789");
		at += 1 + fraction;
	}
	return whole > 0 && whole <= 7 && fraction <= 7 && at == text + size;
}

/* Reads one number that ends where nothing more can be read. Returns whether it was plain. */
static bool check_scan_f64(const char *text, size_t size)
{
	char *copy = memcpy(page_end - size - 1, text, size);
	copy[size] = '\n';
	double value = 0;
	const char *at = copy;
	uint32_t n = number_array_scan_f64(&at, page_end, '\n', &value, 1);
	assert_ptr_equal(at, n == 1 ? page_end : copy);
	char ended[TEXT + 1];
	memcpy(ended, text, size);
	ended[size] = '\0';
	if (n != (strlen(ended) == size && plain_f64(ended, size)))
		fail_msg("%u: '%s'", n, ended);
	if (n == 0)
		return false;
	double expected;
	assert_int_equal(number_parse_f64(text, size, &expected), 0);
	if (value != expected || !signbit(value) != !signbit(expected))
		fail_msg("%a, not %a: '%s'", value, expected, ended);
	/* And with more behind it than is ever looked at. */
	char longer[2 * TEXT];
	memset(longer, '7', sizeof(longer));
	memcpy(longer, copy, size + 1);
	at = longer;
	assert_int_equal(
	    number_array_scan_f64(&at, longer + sizeof(longer), '\n', &value, UINT32_MAX), 1);
	assert_ptr_equal(at, longer + size + 1);
	assert_memory_equal(&value, &expected, sizeof(value));
	return true;
}

static void reads_doubles(void **state)
{
	(void)state;
	static const char *const cases[] = {"0", "-0", "-0.0", "1", "1.", "1.5", "-1234567.1234567",
	    "12345678", "1.12345678", ".5", "", "-", ".", "-.", "--1", "+1", " 1", "1 ", "1e3",
	    "1.5e3", "1.2.3", "inf", "nan", "0x1", "1,5", "0000000.0000001", "9007199.2547409"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_scan_f64(cases[i], strlen(cases[i]));
	check_scan_f64("1\0", 2);
	static const char letters[] = "01234567890123456789.-e";
	seed = 521288629;
	int plain = 0;
	for (int round = 0; round < ROUNDS; round++) {
		char text[TEXT];
		size_t size = next_random() % 20;
		for (size_t i = 0; i < size; i++)
			text[i] = letters[next_random() % (sizeof(letters) - 1)];
		plain += check_scan_f64(text, size);
		size = (size_t)snprintf(text, sizeof(text), "%.*f", (int)(next_random() % 9),
		    (double)(int64_t)(next_random() >> 40) / 1000.0);
		plain += check_scan_f64(text, size);
	}
	assert_true(plain > ROUNDS / 2);
}

/* Writes the numbers into just the room that is asked for, before a page that is none. */
static void check_print_i64(const int64_t *values, uint32_t n)
{
	char expected[TEXT * (NUMBER_I64_MAX + 1)];
	size_t size = 0;
	for (uint32_t i = 0; i < n; i++) {
		size += number_print_i64(expected + size, values[i]);
		expected[size++] = '\n';
	}
	char *to = page_end - n * (NUMBER_I64_MAX + 1);
	assert_int_equal(number_array_print_i64(to, '\n', values, n) - to, size);
	assert_memory_equal(to, expected, size);
}

static void writes_integers(void **state)
{
	(void)state;
	static const int64_t ends[] = {INT64_MIN, INT64_MIN, INT64_MAX, INT64_MIN};
	check_print_i64(ends, 4);
	check_print_i64(NULL, 0);
	for (int64_t i = 0; i < 1000000; i++)
		check_print_i64(&i, 1);
	for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
		const int64_t values[] = {
		    power - 1, power, -power, power + 1, power * 9 + (power - 1), -power * 9};
		check_print_i64(values, 6);
		check_print_i64(values + 1, 1);
	}
	seed = 123456789;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t values[4];
		for (int i = 0; i < 4; i++)
			values[i] = random_i64();
		check_print_i64(values, 4);
	}
}

static void writes_doubles(void **state)
{
	(void)state;
	static const double values[] = {0.0, -1.5, 1e100};
	char text[3 * (NUMBER_F64_MAX + 1)];
	const char *end = number_array_print_f64(text, '\0', values, 3);
	assert_int_equal(end - text, 16);
	assert_memory_equal(text, "0.0\0-1.5\0001e+100", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_each_length),
	    cmocka_unit_test(refuses_what_is_not_plain),
	    cmocka_unit_test(reads_nothing_but_digits),
	    cmocka_unit_test(reads_rows_of_anything),
	    cmocka_unit_test(reads_rows_of_numbers),
	    cmocka_unit_test(reads_doubles),
	    cmocka_unit_test(writes_integers),
	    cmocka_unit_test(writes_doubles),
	};
	return cmocka_run_group_tests(tests, make_pages, NULL);
}
