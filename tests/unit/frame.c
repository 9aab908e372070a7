/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX 1000

/* Puts the records in a row, and walks over the row. */
static void check_walk(enum leat_frame frame, const char *const *records, size_t n)
{
	char data[256];
	char *end = data;
	for (size_t i = 0; i < n; i++) {
		char *next = frame_put(frame, end, records[i], strlen(records[i]));
		assert_int_equal(next - end, frame_size(frame, strlen(records[i])));
		end = next;
	}
	struct frame_reader reader = {.frame = frame, .at = data, .end = end};
	const char *record;
	size_t size;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(frame_next(&reader, &record, &size), 1);
		assert_int_equal(size, strlen(records[i]));
		assert_memory_equal(record, records[i], size);
	}
	assert_int_equal(frame_next(&reader, &record, &size), 0);
	assert_ptr_equal(reader.at, end);

	uint32_t found;
	size_t taken;
	assert_int_equal(
	    frame_scan(frame, data, (size_t)(end - data), MAX, UINT32_MAX, &found, &taken), 0);
	assert_int_equal(found, n);
	assert_int_equal(taken, end - data);
}

static void walks_over_what_was_put(void **state)
{
	(void)state;
	static const char *const records[] = {"", "a", "bc", "", "a longer one, with \xff in it"};
	check_walk(LEAT_NEWLINE, records, 5);
	check_walk(LEAT_NUL, records, 5);
	check_walk(LEAT_U32, records, 5);
	check_walk(LEAT_U32, records, 0);
}

static void leaves_what_is_not_whole(void **state)
{
	(void)state;
	static const struct {
		enum leat_frame frame;
		const char *data;
		size_t size;
		uint32_t records;
		size_t taken;
	} cases[] = {
	    {LEAT_NEWLINE, "", 0, 0, 0},
	    {LEAT_NEWLINE, "abc", 3, 0, 0},
	    {LEAT_NEWLINE, "a\nbc\nd", 6, 2, 5},
	    {LEAT_NEWLINE, "a\0b\n", 4, 1, 4},
	    {LEAT_NUL, "a\nb\0c", 5, 1, 4},
	    {LEAT_U32, "\1\0\0", 3, 0, 0},
	    {LEAT_U32, "\1\0\0\0", 4, 0, 0},
	    {LEAT_U32, "\1\0\0\0a\2\0\0\0b", 10, 1, 5},
	    {LEAT_U32, "\0\0\0\0\0\0\0\0", 8, 2, 8},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t records;
		size_t taken;
		assert_int_equal(frame_scan(cases[i].frame, cases[i].data, cases[i].size, MAX,
				     UINT32_MAX, &records, &taken),
		    0);
		assert_int_equal(records, cases[i].records);
		assert_int_equal(taken, cases[i].taken);
		struct frame_reader reader = {.frame = cases[i].frame,
		    .at = cases[i].data,
		    .end = cases[i].data + cases[i].size};
		const char *record;
		size_t size;
		while (frame_next(&reader, &record, &size))
			records--;
		assert_int_equal(records, 0);
		assert_ptr_equal(reader.at, cases[i].data + taken);
	}
}

static void stops_at_the_most_records(void **state)
{
	(void)state;
	uint32_t records;
	size_t taken;
	assert_int_equal(frame_scan(LEAT_NEWLINE, "a\nb\nc\n", 6, MAX, 2, &records, &taken), 0);
	assert_int_equal(records, 2);
	assert_int_equal(taken, 4);
	assert_int_equal(frame_scan(LEAT_NEWLINE, "a\nb\nc\n", 6, MAX, 0, &records, &taken), 0);
	assert_int_equal(records, 0);
	assert_int_equal(taken, 0);
}

/* Enough records that whole blocks of them are counted at once: any limit, and any end. */
static void counts_many_records(void **state)
{
	(void)state;
	static char data[5000];
	uint32_t n_all = 0;
	for (size_t i = 0; i < sizeof(data); i++) {
		/* Short records, a long one, and one that is not whole. */
		bool ends = i < 2000 ? i % 7 == 6 || i % 5 == 1 : i == 4000 || i > 4990;
		data[i] = ends && i < 4997 ? '\n' : 'a';
		n_all += data[i] == '\n';
	}
	for (size_t size = 0; size <= sizeof(data); size += size % 1024 < 1000 ? 13 : 1) {
		uint32_t most = size % 3 == 0 ? n_all : (uint32_t)size % (n_all + 20);
		size_t expected_taken = 0;
		uint32_t expected = 0;
		for (size_t i = 0; i < size && expected < most; i++) {
			if (data[i] == '\n') {
				expected_taken = i + 1;
				expected++;
			}
		}
		uint32_t records;
		size_t taken;
		assert_int_equal(
		    frame_scan(LEAT_NEWLINE, data, size, sizeof(data), most, &records, &taken), 0);
		assert_int_equal(records, expected);
		assert_int_equal(taken, expected_taken);
	}
	for (uint32_t most = 0; most <= n_all + 1; most++) {
		uint32_t records;
		size_t taken;
		assert_int_equal(frame_scan(LEAT_NEWLINE, data, sizeof(data), sizeof(data), most,
				     &records, &taken),
		    0);
		assert_int_equal(records, most < n_all ? most : n_all);
		struct frame_reader reader = {LEAT_NEWLINE, data, data + taken};
		const char *record;
		size_t size;
		while (frame_next(&reader, &record, &size))
			records--;
		assert_int_equal(records, 0);
		assert_ptr_equal(reader.at, data + taken);
	}
	/* As many as can be. */
	uint32_t records;
	size_t taken;
	memset(data, '\n', sizeof(data));
	assert_int_equal(frame_scan(LEAT_NEWLINE, data, sizeof(data), sizeof(data), UINT32_MAX,
			     &records, &taken),
	    0);
	assert_int_equal(records, sizeof(data));
	assert_int_equal(taken, sizeof(data));
}

static void refuses_a_long_record(void **state)
{
	(void)state;
	static const struct {
		enum leat_frame frame;
		const char *data;
		size_t size;
		int result;
		size_t taken;
	} cases[] = {
	    {LEAT_NEWLINE, "abc\n", 4, 0, 4},
	    {LEAT_NEWLINE, "abc", 3, 0, 0},
	    {LEAT_NEWLINE, "abcd\n", 5, -EMSGSIZE, 0},
	    {LEAT_NEWLINE, "abcd", 4, -EMSGSIZE, 0},
	    {LEAT_NEWLINE, "a\nabcd", 6, 0, 2},
	    {LEAT_NUL, "abcd", 4, -EMSGSIZE, 0},
	    {LEAT_U32, "\3\0\0\0abc", 7, 0, 7},
	    {LEAT_U32, "\4\0\0\0", 4, -EMSGSIZE, 0},
	    {LEAT_U32, "\0\0\0\0\377\377\377\377", 8, 0, 4},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t records = 77;
		size_t taken = 0;
		assert_int_equal(frame_scan(cases[i].frame, cases[i].data, cases[i].size, 3,
				     UINT32_MAX, &records, &taken),
		    cases[i].result);
		assert_int_equal(taken, cases[i].taken);
		if (cases[i].result < 0)
			assert_int_equal(records, 77);
	}
}

static void has_no_limit_of_its_own(void **state)
{
	(void)state;
	uint32_t records;
	size_t taken;
	assert_int_equal(
	    frame_scan(LEAT_NEWLINE, "abc\n", 4, UINT64_MAX, UINT32_MAX, &records, &taken), 0);
	assert_int_equal(records, 1);
	assert_int_equal(frame_scan(LEAT_U32, "\377\377\377\377abc", 7, UINT64_MAX, UINT32_MAX,
			     &records, &taken),
	    0);
	assert_int_equal(records, 0);
}

static void knows_what_may_be_a_record(void **state)
{
	(void)state;
	assert_int_equal(frame_check(LEAT_NEWLINE, "a\0b", 3), 0);
	assert_int_equal(frame_check(LEAT_NEWLINE, "a\nb", 3), -EILSEQ);
	assert_int_equal(frame_check(LEAT_NEWLINE, "a\n", 2), -EILSEQ);
	assert_int_equal(frame_check(LEAT_NUL, "a\nb", 3), 0);
	assert_int_equal(frame_check(LEAT_NUL, "a\0b", 3), -EILSEQ);
	assert_int_equal(frame_check(LEAT_U32, "a\n\0b", 4), 0);
	assert_int_equal(frame_check(LEAT_NEWLINE, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(walks_over_what_was_put),
	    cmocka_unit_test(leaves_what_is_not_whole),
	    cmocka_unit_test(stops_at_the_most_records),
	    cmocka_unit_test(counts_many_records),
	    cmocka_unit_test(refuses_a_long_record),
	    cmocka_unit_test(has_no_limit_of_its_own),
	    cmocka_unit_test(knows_what_may_be_a_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
