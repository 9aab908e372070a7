/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How numbers go through c_call_batch() in runs: among records that are none, and out of a
 * function that never comes back. What is called here is compiled in; tests/unit/native.c
 * has the forms and the messages.
 */
#include "c_call.h"

#include "number.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Some runs and a part of one. */
#define N	 (3 * CALL_RUN + 7)
#define CAPACITY (N * 64)
#define LIMIT	 100

/* Which call crashes, counted from 0, and how many were made. */
static uint32_t crash_at;
static uint32_t n_calls;
static jmp_buf crash_here;

static void count_call(void)
{
	if (n_calls == crash_at)
		longjmp(crash_here, 1);
	n_calls++;
}

static int64_t twice(int64_t n)
{
	count_call();
	return 2 * n;
}

static double half(double x)
{
	count_call();
	return x / 2;
}

static const struct leat_stage stages[] = {
    {.kind = LEAT_STAGE_I64, .function = (leat_function *)twice},
    {.kind = LEAT_STAGE_F64, .function = (leat_function *)half},
};

/* The i-th number and what the function gives, and both as text. */
struct sample {
	int64_t i64[2];
	double f64[2];
	char text[2][64];
};

static struct sample sample(enum leat_kind kind, uint32_t i)
{
	struct sample it = {.i64 = {(int64_t)i * i * i - 1000, 2 * ((int64_t)i * i * i - 1000)}};
	for (int side = 0; side < 2; side++) {
		it.f64[side] = side == 0 ? i * 0.25 - 3 : (i * 0.25 - 3) / 2;
		size_t size = kind == LEAT_I64 ? number_print_i64(it.text[side], it.i64[side])
					       : number_print_f64(it.text[side], it.f64[side]);
		it.text[side][size] = '\n';
	}
	return it;
}

/* One side of n samples as a batch's bytes; returns their size. */
static size_t fill(char *data, enum leat_kind kind, bool text, int side, uint32_t n)
{
	char *at = data;
	for (uint32_t i = 0; i < n; i++) {
		struct sample it = sample(kind, i);
		const void *bytes = kind == LEAT_I64 ? (void *)&it.i64[side] : &it.f64[side];
		if (text)
			at = mempcpy(at, it.text[side], strcspn(it.text[side], "\n") + 1);
		else
			at = mempcpy(at, bytes, sizeof(int64_t));
	}
	return (size_t)(at - data);
}

/* Of N numbers, the one at `crash` never comes back; N: none. All before it must have come out. */
static void check_crash(enum leat_kind kind, bool text_in, bool text_out, uint32_t crash)
{
	static _Alignas(int64_t) char in[CAPACITY];
	static _Alignas(int64_t) char out[CAPACITY];
	static _Alignas(int64_t) char expected[CAPACITY];
	static struct c_call_result result;
	const struct leat_stage *stage = &stages[kind == LEAT_F64];
	struct batch batch = {.kind = text_in ? LEAT_RECORDS : kind, .data = in};
	batch.size = fill(in, kind, text_in, 0, N);
	struct c_call_output output = {.data = out,
	    .capacity = sizeof(out),
	    .frame = LEAT_NEWLINE,
	    .max_record = LIMIT,
	    .wanted = text_out ? LEAT_RECORDS : kind};
	crash_at = crash;
	n_calls = 0;
	memset(out, '#', sizeof(out));
	if (setjmp(crash_here) == 0)
		c_call_batch(stage, &batch, &output, &result);
	else
		c_call_crashed(stage, &output, &result, "crashed");
	size_t size = fill(expected, kind, text_out, 1, crash);
	assert_int_equal(n_calls, crash);
	assert_string_equal(result.why, crash < N ? "crashed" : "");
	assert_int_equal(result.kind, output.wanted);
	assert_int_equal(result.failed, crash < N ? crash : 0);
	assert_int_equal(result.n_records, crash);
	assert_int_equal(result.size, size);
	assert_memory_equal(out, expected, size);
}

static void keeps_what_came_before_a_crash(void **state)
{
	(void)state;
	static const uint32_t crashes[] = {0, 1, 2, CALL_RUN - 1, CALL_RUN, CALL_RUN + 1,
	    2 * CALL_RUN + 5, 3 * CALL_RUN, N - 1, N};
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		for (int how = 0; how < 8; how++)
			check_crash(how & 1 ? LEAT_I64 : LEAT_F64, how & 2, how & 4, crashes[i]);
	}
}

/* Runs lines through a function into `capacity` bytes; returns the output as a string. */
static const char *run_lines(enum leat_kind kind, const char *lines, size_t capacity,
    uint32_t crash, struct c_call_result *ret_result)
{
	static char out[CAPACITY];
	const struct leat_stage *stage = &stages[kind == LEAT_F64];
	struct batch batch = {.kind = LEAT_RECORDS, .data = lines, .size = strlen(lines)};
	struct c_call_output output = {
	    .data = out, .capacity = capacity, .frame = LEAT_NEWLINE, .max_record = LIMIT};
	assert_true(capacity < sizeof(out));
	crash_at = crash;
	n_calls = 0;
	if (setjmp(crash_here) == 0)
		c_call_batch(stage, &batch, &output, ret_result);
	else
		c_call_crashed(stage, &output, ret_result, "crashed");
	out[ret_result->size] = '\0';
	return out;
}

/* Plain numbers, and before, between and behind them others. */
static void minds_what_is_not_plain(void **state)
{
	(void)state;
	static struct c_call_result result;
	assert_string_equal(run_lines(LEAT_I64, "+1\n2\n3\n 4 \n5\n1234567890123456789\n6\n",
				CAPACITY - 1, UINT32_MAX, &result),
	    "2\n4\n6\n8\n10\n2469135780246913578\n12\n");
	assert_int_equal(result.n_records, 7);
	assert_string_equal(
	    run_lines(LEAT_F64, "1\n1e3\n5.\n.5\n 7\ninf\n", CAPACITY - 1, UINT32_MAX, &result),
	    "0.5\n500.0\n2.5\n0.25\n3.5\ninf\n");
	assert_int_equal(result.n_records, 6);

	assert_string_equal(
	    run_lines(LEAT_I64, "1\n2\n+3\n4\nx\n6\n", CAPACITY - 1, UINT32_MAX, &result),
	    "2\n4\n6\n8\n");
	assert_string_equal(result.why, "not an integer");
	assert_int_equal(result.failed, 4);
	assert_int_equal(n_calls, 4);

	for (uint32_t crash = 0; crash < 5; crash++) {
		const char *out =
		    run_lines(LEAT_I64, "1\n+2\n3\n4\n 5\n", CAPACITY - 1, crash, &result);
		assert_int_equal(result.failed, crash);
		assert_int_equal(result.n_records, crash);
		assert_memory_equal("2\n4\n6\n8\n", out, result.size);
		assert_int_equal(result.size, 2 * crash);
	}
}

/* Whatever room there is: as much of the output as fits, and the first that does not fails. */
static void fills_the_room(void **state)
{
	(void)state;
	static char lines[CAPACITY];
	static char expected[CAPACITY];
	static struct c_call_result result;
	lines[fill(lines, LEAT_I64, true, 0, N)] = '\0';
	size_t whole = fill(expected, LEAT_I64, true, 1, N);
	for (size_t capacity = 0; capacity <= whole; capacity++) {
		const char *out = run_lines(LEAT_I64, lines, capacity, UINT32_MAX, &result);
		size_t end = 0;
		uint32_t n = 0;
		for (size_t i = 0; i < capacity; i++) {
			if (expected[i] == '\n') {
				end = i + 1;
				n++;
			}
		}
		assert_int_equal(result.size, end);
		assert_memory_equal(out, expected, end);
		assert_int_equal(result.n_records, n);
		assert_int_equal(result.why[0] != '\0', n < N);
		assert_int_equal(result.failed, n < N ? n : 0);
	}
}

/* An output that may grow by a little at a time, up to a limit. */
struct growing {
	size_t limit;
	int beyond;
	unsigned asked;
};

static int grow(void *context, size_t size, size_t *ret_capacity)
{
	struct growing *growing = context;
	growing->asked++;
	if (size > growing->limit)
		return growing->beyond;
	*ret_capacity = size;
	return 0;
}

/* Text and arrays, in all four ways; returns the output's size if nothing is in its way. */
static size_t run_growing(
    enum leat_kind in, enum leat_kind wanted, struct growing *growing, struct c_call_result *result)
{
	static _Alignas(int64_t) char from[CAPACITY];
	static _Alignas(int64_t) char to[CAPACITY];
	static char expected[CAPACITY];
	size_t whole = fill(expected, LEAT_I64, wanted == LEAT_RECORDS, 1, N);
	struct batch batch = {
	    .kind = in, .data = from, .size = fill(from, LEAT_I64, in == LEAT_RECORDS, 0, N)};
	struct c_call_output output = {
	    .data = to,
	    .grow = grow,
	    .context = growing,
	    .most = growing->limit,
	    .max_record = LIMIT,
	    .wanted = wanted,
	};
	crash_at = UINT32_MAX;
	n_calls = 0;
	growing->asked = 0;
	c_call_batch(&stages[0], &batch, &output, result);
	if (!result->later)
		assert_memory_equal(to, expected, result->size);
	return whole;
}

static void asks_for_room(void **state)
{
	(void)state;
	static struct c_call_result result;
	for (int way = 0; way < 4; way++) {
		enum leat_kind in = way & 1 ? LEAT_RECORDS : LEAT_I64;
		enum leat_kind wanted = way & 2 ? LEAT_RECORDS : LEAT_I64;
		struct growing growing = {CAPACITY, -ENOSPC, 0};
		size_t whole = run_growing(in, wanted, &growing, &result);
		assert_int_equal(result.size, whole);
		assert_int_equal(result.n_records, N);
		assert_true(growing.asked > 1);
		/* To the byte, whatever it asked for. */
		growing.limit = whole;
		run_growing(in, wanted, &growing, &result);
		assert_int_equal(result.size, whole);
		assert_string_equal(result.why, "");
		growing.limit = whole - 1;
		run_growing(in, wanted, &growing, &result);
		assert_int_equal(result.n_records, N - 1);
		assert_int_equal(result.failed, N - 1);
		assert_non_null(strstr(result.why, "beside what the records before it gave"));
		/* What may fit later is neither whole nor failed, and nobody is called in vain. */
		growing.beyond = -EAGAIN;
		growing.limit = whole / 2;
		run_growing(in, wanted, &growing, &result);
		assert_true(result.later);
		assert_true(n_calls < N);
		growing.limit = 0;
		run_growing(in, wanted, &growing, &result);
		assert_true(result.later);
		assert_int_equal(n_calls, 0);
		assert_int_equal(growing.asked, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_what_came_before_a_crash),
	    cmocka_unit_test(minds_what_is_not_plain),
	    cmocka_unit_test(fills_the_room),
	    cmocka_unit_test(asks_for_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
