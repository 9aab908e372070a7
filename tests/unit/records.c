/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* More than is read at once. */
#define LARGE (200 * 1024)

static int file_of(const void *data, size_t size)
{
	int fd = memfd_create("records", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	return fd;
}

static void assert_count(
    const void *data, size_t size, uint64_t from, enum leat_frame frame, uint64_t records)
{
	struct records_total total = {0};
	int fd = file_of(data, size);
	assert_int_equal(records_count(fd, from, frame, &total), 0);
	assert_int_equal(total.records, records);
	assert_int_equal(total.bytes, size - from);
	close(fd);
}

static void test_count(void **state)
{
	(void)state;
	assert_count("", 0, 0, LEAT_NEWLINE, 0);
	assert_count("", 0, 0, LEAT_U32, 0);
	assert_count("\n", 1, 0, LEAT_NEWLINE, 1);
	assert_count("a\nb\n", 4, 0, LEAT_NEWLINE, 2);
	assert_count("a\nb", 3, 0, LEAT_NEWLINE, 2);
	assert_count("a\nb\n", 4, 2, LEAT_NEWLINE, 1);
	assert_count("a\0b\n\0", 5, 0, LEAT_NUL, 2);
	assert_count("\1\0\0\0\n\0\0\0\0", 9, 0, LEAT_U32, 2);
	assert_count("\1\0\0\0\n\4\0\0\0xy", 11, 0, LEAT_U32, 2);
	assert_count("\1\0\0\0\n\4\0", 7, 0, LEAT_U32, 2);
}

static void test_count_large(void **state)
{
	(void)state;
	char *data = calloc(1, LARGE);
	assert_non_null(data);
	assert_count(data, LARGE, 0, LEAT_NEWLINE, 1);
	assert_count(data, LARGE, 0, LEAT_NUL, LARGE);
	assert_count(data, LARGE, 0, LEAT_U32, LARGE / 4);
	data[LARGE - 1] = '\n';
	assert_count(data, LARGE, 0, LEAT_NEWLINE, 1);
	free(data);
}

static void assert_parts(int one, int other, enum leat_frame frame, uint64_t byte, uint64_t record)
{
	struct records_difference difference = {0};
	assert_int_equal(records_compare(one, other, frame, &difference), 0);
	assert_int_equal(difference.byte, byte);
	assert_int_equal(difference.record, record);
	close(one);
	close(other);
}

static void test_compare(void **state)
{
	(void)state;
	struct records_difference difference = {0};
	int fd = file_of("a\nb\n", 4);
	assert_int_equal(records_compare(fd, fd, LEAT_NEWLINE, &difference), 1);
	close(fd);
	assert_parts(file_of("a\nbc\n", 5), file_of("a\nbd\n", 5), LEAT_NEWLINE, 3, 2);
	assert_parts(file_of("a\nb\n", 4), file_of("a\n", 2), LEAT_NEWLINE, 2, 2);
	assert_parts(file_of("", 0), file_of("a\n", 2), LEAT_NEWLINE, 0, 1);
	assert_parts(
	    file_of("\1\0\0\0a\1\0\0\0b", 10), file_of("\1\0\0\0a\1\0\0\0c", 10), LEAT_U32, 9, 2);
}

static void test_compare_large(void **state)
{
	(void)state;
	char *data = malloc(LARGE);
	assert_non_null(data);
	memset(data, '\n', LARGE);
	int one = file_of(data, LARGE);
	int same = file_of(data, LARGE);
	struct records_difference difference = {0};
	assert_int_equal(records_compare(one, same, LEAT_NEWLINE, &difference), 1);
	close(same);
	data[LARGE - 2] = 'x';
	assert_parts(one, file_of(data, LARGE), LEAT_NEWLINE, LARGE - 2, LARGE - 1);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_count),
	    cmocka_unit_test(test_count_large),
	    cmocka_unit_test(test_compare),
	    cmocka_unit_test(test_compare_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
