/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of int64_t and double are called directly; every other form is raw by
 * the time it gets here, through the adapter that LEAT_STAGE() put beside it.
 */
#include "c_call.h"

#include "forked.h"
#include "number.h"
#include "number_array.h"
#include "quote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The longest that a number can be as a line. */
#define CALL_TEXT_MAX (NUMBER_F64_MAX + 1)

#define CALL_SHOWN_DIGITS 24

typedef int64_t c_call_i64(int64_t);
typedef double c_call_f64(double);

/* One c_call_batch(). A raw stage gets `out`, which comes first so that it leads back here. */
struct c_call {
	struct leat_out out;
	const struct leat_stage *stage;
	enum leat_frame frame;
	uint64_t max_record;
	char *data;
	size_t capacity;
	size_t most;
	c_call_grow *grow;
	void *context;
	bool runs;		     /* numbers go in runs: nothing about one can fail there */
	volatile uint32_t *progress; /* a crash must find it written */
	struct c_call_result *result;
};

/* Fails the current record. The first reason stands: what follows comes of it. */
__attribute__((format(printf, 3, 4))) static int c_call_fail(
    struct c_call *call, int code, const char *format, ...)
{
	char *why = call->result->why;
	if (why[0])
		return code;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(why, sizeof(call->result->why), format, args);
	va_end(args);
	if (n >= (int)sizeof(call->result->why))
		quote_trim(why);
	return code;
}

/*
 * A record's call begins. Written to memory that outlives a crash of the function, and
 * that of the process if it is careful.
 */
static void c_call_begin(struct c_call *call, uint32_t index)
{
	struct c_call_result *result = call->result;
	result->at = index;
	result->first = index;
	result->whole_size = result->size;
	result->whole_records = result->n_records;
	if (call->progress)
		*call->progress = index;
}

/* Drops what the current record has given: it failed. */
static void c_call_undo(struct c_call_result *result)
{
	result->failed = result->at;
	result->size = result->whole_size;
	result->n_records = result->whole_records;
}

/* Out of line: it is seldom that an area has to grow. */
__attribute__((noinline)) static bool c_call_make_room(struct c_call *call, size_t more)
{
	struct c_call_result *result = call->result;
	int r = -ENOSPC;
	if (call->grow && !result->later)
		r = call->grow(call->context, result->size + more, &call->capacity);
	if (r == -EAGAIN) {
		result->later = true;
		c_call_fail(call, r, "waits for memory");
	}
	return r == 0;
}

/* Whether so many bytes more fit. */
static inline bool c_call_fits(struct c_call *call, size_t more)
{
	return more <= call->capacity - call->result->size || c_call_make_room(call, more);
}

static int c_call_full(struct c_call *call, size_t more)
{
	const struct c_call_result *result = call->result;
	size_t given = result->size - result->whole_size + more;
	if (result->whole_size == 0)
		return c_call_fail(call, -ENOSPC,
		    "gives %zu bytes or more, of which %zu fit into memory; raise --memory", given,
		    call->most);
	return c_call_fail(call, -ENOSPC,
	    "gives %zu bytes or more, of which %zu fit into memory beside what the records"
	    " before it gave; raise --memory",
	    given, call->most - result->whole_size);
}

static int c_call_emit(struct leat_out *out, const void *record, size_t size)
{
	struct c_call *call = (struct c_call *)out;
	struct c_call_result *result = call->result;
	if (result->why[0])
		return -ECANCELED;
	if (size > call->max_record)
		return c_call_fail(call, -EMSGSIZE,
		    "gives a record of %zu bytes, over the limit of %" PRIu64, size,
		    call->max_record);
	if (frame_check(call->frame, record, size) < 0)
		return c_call_fail(call, -EILSEQ, "gives a record that holds a %s",
		    call->frame == LEAT_NEWLINE ? "newline; use --frame nul or u32"
						: "NUL byte; use --frame newline or u32");
	if (!c_call_fits(call, frame_size(call->frame, size)) || result->n_records == UINT32_MAX)
		return c_call_full(call, frame_size(call->frame, size));
	char *end = frame_put(call->frame, call->data + result->size, record, size);
	result->size = (size_t)(end - call->data);
	result->n_records++;
	return 0;
}

/* What leat_fail() calls: the text is the stage's own, and must come out as one line. */
static int c_call_fail_raw(struct leat_out *out, const char *why)
{
	struct c_call *call = (struct c_call *)out;
	bool first = !call->result->why[0];
	c_call_fail(call, 0, "%s", why && why[0] ? why : "failed");
	for (char *at = call->result->why; first && *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	return -ECANCELED;
}

/*
 * Where a number of at most `most` bytes can be printed at once, without a copy;
 * NULL if it may not fit. No digit is a separator, so nothing else need be checked.
 */
static char *c_call_room(struct c_call *call, size_t most)
{
	const struct c_call_result *result = call->result;
	if (call->max_record < most || result->n_records == UINT32_MAX ||
	    !c_call_fits(call, frame_size(call->frame, most)))
		return NULL;
	return call->data + result->size + frame_before(call->frame);
}

/* Keeps what was printed there. */
static void c_call_keep(struct c_call *call, size_t size)
{
	struct c_call_result *result = call->result;
	char *end = frame_finish(call->frame, call->data + result->size, size);
	result->size = (size_t)(end - call->data);
	result->n_records++;
}

static void c_call_put(struct c_call *call, int64_t bits)
{
	struct c_call_result *result = call->result;
	if (!c_call_fits(call, sizeof(bits))) {
		(void)c_call_full(call, sizeof(bits));
		return;
	}
	memcpy(call->data + result->size, &bits, sizeof(bits));
	result->size += sizeof(bits);
	result->n_records++;
}

static void c_call_give_i64(struct c_call *call, int64_t value)
{
	if (call->result->kind == LEAT_I64) {
		c_call_put(call, value);
		return;
	}
	char text[NUMBER_I64_MAX];
	char *room = c_call_room(call, sizeof(text));
	size_t size = number_print_i64(room ? room : text, value);
	if (room)
		c_call_keep(call, size);
	else
		(void)c_call_emit(&call->out, text, size);
}

static void c_call_give_f64(struct c_call *call, double value)
{
	if (call->result->kind == LEAT_F64) {
		int64_t bits;
		memcpy(&bits, &value, sizeof(bits));
		c_call_put(call, bits);
		return;
	}
	char text[NUMBER_F64_MAX];
	char *room = c_call_room(call, sizeof(text));
	size_t size = number_print_f64(room ? room : text, value);
	if (room)
		c_call_keep(call, size);
	else
		(void)c_call_emit(&call->out, text, size);
}

static void c_call_record_i64(struct c_call *call, const char *record, size_t size)
{
	int64_t n;
	int r = number_parse_i64(record, size, &n);
	if (r == -ERANGE) {
		number_trim(&record, &size);
		bool cut = size > CALL_SHOWN_DIGITS;
		c_call_fail(call, r,
		    "%.*s%s does not fit int64_t; use the GMP form (void f(mpz_t, const mpz_t))",
		    cut ? CALL_SHOWN_DIGITS : (int)size, record, cut ? "..." : "");
	} else if (r < 0) {
		c_call_fail(call, r, "not an integer");
	} else {
		n = ((c_call_i64 *)call->stage->function)(n);
		forked_check();
		c_call_give_i64(call, n);
	}
}

static void c_call_record_f64(struct c_call *call, const char *record, size_t size)
{
	double x;
	int r = number_parse_f64(record, size, &x);
	if (r < 0) {
		c_call_fail(call, r, r == -ENOMEM ? "out of memory" : "not a number");
		return;
	}
	x = ((c_call_f64 *)call->stage->function)(x);
	forked_check();
	c_call_give_f64(call, x);
}

static void c_call_record_raw(struct c_call *call, const char *record, size_t size)
{
	int r = call->stage->adapter(call->stage->function, record, size, &call->out);
	forked_check();
	if (r != 0)
		c_call_fail(call, r, "returned %d", r);
}

/* Where the next run's results go. */
static void *c_call_place(struct c_call *call)
{
	struct c_call_result *result = call->result;
	return result->kind == LEAT_RECORDS ? (void *)&result->given : call->data + result->size;
}

/* How many numbers the next run may have, so that whatever they are fits the output. */
static uint32_t c_call_fitting(struct c_call *call)
{
	const struct c_call_result *result = call->result;
	size_t each = result->kind == LEAT_RECORDS ? CALL_TEXT_MAX : sizeof(int64_t);
	if (!call->runs || (!c_call_fits(call, CALL_RUN * each) && result->later))
		return 0;
	size_t n = (call->capacity - result->size) / each;
	return n < CALL_RUN ? (uint32_t)n : CALL_RUN;
}

/* The output's end, with n of the numbers given as text behind it. */
static size_t c_call_write(enum leat_stage_kind kind, enum leat_frame frame, char *data,
    size_t size, const struct c_call_result *result, uint32_t n)
{
	char separator = frame_separator(frame);
	char *end = kind == LEAT_STAGE_I64
			? number_array_print_i64(data + size, separator, result->given.i64, n)
			: number_array_print_f64(data + size, separator, result->given.f64, n);
	return (size_t)(end - data);
}

/* Calls the function for each of n numbers, which may be where the results go. */
static void c_call_run(struct c_call *call, uint32_t index, const void *numbers, uint32_t n)
{
	struct c_call_result *result = call->result;
	void *place = c_call_place(call);
	volatile uint32_t bound = n;
	c_call_begin(call, index);
	forked_bound(&bound);
	if (call->stage->kind == LEAT_STAGE_I64) {
		c_call_i64 *function = (c_call_i64 *)call->stage->function;
		const int64_t *in = numbers;
		int64_t *out = place;
		for (uint32_t i = 0; i < bound; i++) {
			result->at = index + i;
			out[i] = function(in[i]);
		}
	} else {
		c_call_f64 *function = (c_call_f64 *)call->stage->function;
		const double *in = numbers;
		double *out = place;
		for (uint32_t i = 0; i < bound; i++) {
			result->at = index + i;
			out[i] = function(in[i]);
		}
	}
	forked_done();
	if (result->kind == LEAT_RECORDS)
		result->size = c_call_write((enum leat_stage_kind)call->stage->kind, call->frame,
		    call->data, result->size, result, n);
	else
		result->size += n * sizeof(int64_t);
	result->n_records += n;
}

/* Calls for plain numbers up to the first record that is anything else. Returns how many. */
static uint32_t c_call_plain(struct c_call *call, struct frame_reader *reader, uint32_t index)
{
	char separator = frame_separator(call->frame);
	uint32_t done = 0;
	for (;;) {
		void *place = c_call_place(call);
		uint32_t n = c_call_fitting(call);
		n = call->stage->kind == LEAT_STAGE_I64
			? number_array_scan_i64(&reader->at, reader->end, separator, place, n)
			: number_array_scan_f64(&reader->at, reader->end, separator, place, n);
		if (n == 0)
			return done;
		c_call_run(call, index + done, place, n);
		done += n;
	}
}

static void c_call_record(struct c_call *call, const char *record, size_t size)
{
	if (call->stage->kind == LEAT_STAGE_I64)
		c_call_record_i64(call, record, size);
	else if (call->stage->kind == LEAT_STAGE_F64)
		c_call_record_f64(call, record, size);
	else
		c_call_record_raw(call, record, size);
}

static void c_call_records(struct c_call *call, const struct batch *batch)
{
	struct c_call_result *result = call->result;
	struct frame_reader reader = {
	    call->frame, batch->data, (const char *)batch->data + batch->size};
	const char *record;
	size_t size;
	for (uint32_t index = 0;; index++) {
		index += c_call_plain(call, &reader, index);
		if (result->later || !frame_next(&reader, &record, &size))
			return;
		c_call_begin(call, index);
		c_call_record(call, record, size);
		if (result->why[0]) {
			c_call_undo(result);
			return;
		}
	}
}

static void c_call_array(struct c_call *call, const struct batch *batch)
{
	struct c_call_result *result = call->result;
	const int64_t *integers = batch->data;
	const double *reals = batch->data;
	uint32_t n = (uint32_t)(batch->size / sizeof(int64_t));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t run = c_call_fitting(call);
		if (run > n - i)
			run = n - i;
		if (run > 0) {
			c_call_run(call, i, integers + i, run);
			i += run - 1;
			continue;
		}
		if (result->later)
			return;
		c_call_begin(call, i);
		if (batch->kind == LEAT_I64)
			c_call_give_i64(call, ((c_call_i64 *)call->stage->function)(integers[i]));
		else
			c_call_give_f64(call, ((c_call_f64 *)call->stage->function)(reals[i]));
		if (result->why[0]) {
			c_call_undo(result);
			return;
		}
	}
}

/*
 * Whether numbers may go in runs. As text there must be a separator, and room for any of
 * them, so that nothing can fail; and a careful worker must know of each call before it.
 */
static bool c_call_runs(
    const struct leat_stage *stage, const struct batch *batch, const struct c_call_output *output)
{
	if (c_call_kind(stage) == LEAT_RECORDS || output->progress)
		return false;
	if (batch->kind != LEAT_RECORDS && output->wanted != LEAT_RECORDS)
		return true;
	return output->frame != LEAT_U32 && output->max_record >= NUMBER_F64_MAX;
}

void c_call_batch(const struct leat_stage *stage, const struct batch *batch,
    const struct c_call_output *output, struct c_call_result *ret_result)
{
	*ret_result = (struct c_call_result){.kind = output->wanted};
	bool lengths = output->frame == LEAT_U32 && output->max_record > UINT32_MAX;
	struct c_call call = {
	    .out = {.emit = c_call_emit, .fail = c_call_fail_raw},
	    .stage = stage,
	    .frame = output->frame,
	    .max_record = lengths ? UINT32_MAX : output->max_record,
	    .data = output->data,
	    .capacity = output->capacity,
	    .most = output->most ? output->most : output->capacity,
	    .grow = output->grow,
	    .context = output->context,
	    .runs = c_call_runs(stage, batch, output),
	    .progress = output->progress,
	    .result = ret_result,
	};
	if (batch->kind == LEAT_RECORDS)
		c_call_records(&call, batch);
	else
		c_call_array(&call, batch);
}

void c_call_crashed(const struct leat_stage *stage, const struct c_call_output *output,
    struct c_call_result *result, const char *why)
{
	uint32_t before = result->at - result->first;
	if (result->kind == LEAT_RECORDS)
		result->whole_size = c_call_write((enum leat_stage_kind)stage->kind, output->frame,
		    output->data, result->whole_size, result, before);
	else
		result->whole_size += before * sizeof(int64_t);
	result->whole_records += before;
	c_call_undo(result);
	result->later = false;
	snprintf(result->why, sizeof(result->why), "%s", why);
}
