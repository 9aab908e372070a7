/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of int64_t and double are called directly; every other form is raw by
 * the time it gets here, through the adapter that LEAT_STAGE() put beside it.
 */
#include "call.h"

#include "number.h"
#include "quote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Digits shown of a number that is too long. */
#define CALL_SHOWN_DIGITS 24

typedef int64_t call_i64(int64_t);
typedef double call_f64(double);

/* One call_batch(). A raw stage gets `out`, which comes first so that it leads back here. */
struct call {
	struct leat_out out;
	const struct leat_stage *stage;
	enum leat_frame frame;
	uint64_t max_record;
	char *data;
	size_t capacity;
	volatile uint32_t *progress; /* a crash must find it written */
	struct call_result *result;
};

enum leat_kind call_kind(const struct leat_stage *stage)
{
	return stage->kind == LEAT_STAGE_I64   ? LEAT_I64
	       : stage->kind == LEAT_STAGE_F64 ? LEAT_F64
					       : LEAT_RECORDS;
}

/* Fails the current record. The first reason stands: what follows comes of it. */
__attribute__((format(printf, 3, 4))) static int call_fail(
    struct call *call, int code, const char *format, ...)
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
static void call_begin(struct call *call, uint32_t index)
{
	struct call_result *result = call->result;
	result->at = index;
	result->whole_size = result->size;
	result->whole_records = result->n_records;
	if (call->progress)
		*call->progress = index;
}

/* Drops what the current record has given: it failed. */
static void call_undo(struct call_result *result)
{
	result->failed = result->at;
	result->size = result->whole_size;
	result->n_records = result->whole_records;
}

void call_crashed(struct call_result *result, const char *why)
{
	/* From array to array only the place is kept up to date. */
	if (result->kind != LEAT_RECORDS) {
		result->whole_size = result->at * sizeof(int64_t);
		result->whole_records = result->at;
	}
	call_undo(result);
	snprintf(result->why, sizeof(result->why), "%s", why);
}

static int call_full(struct call *call)
{
	return call_fail(
	    call, -ENOSPC, "gives more than a batch can hold, which is %zu bytes", call->capacity);
}

static int call_emit(struct leat_out *out, const void *record, size_t size)
{
	struct call *call = (struct call *)out;
	struct call_result *result = call->result;
	if (result->why[0])
		return -ECANCELED;
	if (size > call->max_record)
		return call_fail(call, -EMSGSIZE,
		    "gives a record of %zu bytes, over the limit of %" PRIu64, size,
		    call->max_record);
	if (frame_check(call->frame, record, size) < 0)
		return call_fail(call, -EILSEQ, "gives a record that holds a %s",
		    call->frame == LEAT_NEWLINE ? "newline; use --frame nul or u32"
						: "NUL byte; use --frame newline or u32");
	if (frame_size(call->frame, size) > call->capacity - result->size ||
	    result->n_records == UINT32_MAX)
		return call_full(call);
	char *end = frame_put(call->frame, call->data + result->size, record, size);
	result->size = (size_t)(end - call->data);
	result->n_records++;
	return 0;
}

/* What leat_fail() calls: the text is the stage's own, and must come out as one line. */
static int call_fail_raw(struct leat_out *out, const char *why)
{
	struct call *call = (struct call *)out;
	bool first = !call->result->why[0];
	call_fail(call, 0, "%s", why && why[0] ? why : "failed");
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
static char *call_room(const struct call *call, size_t most)
{
	const struct call_result *result = call->result;
	if (call->max_record < most || result->n_records == UINT32_MAX ||
	    frame_size(call->frame, most) > call->capacity - result->size)
		return NULL;
	return call->data + result->size + frame_before(call->frame);
}

/* Keeps what was printed there. */
static void call_keep(struct call *call, size_t size)
{
	struct call_result *result = call->result;
	char *end = frame_finish(call->frame, call->data + result->size, size);
	result->size = (size_t)(end - call->data);
	result->n_records++;
}

static void call_put(struct call *call, int64_t bits)
{
	struct call_result *result = call->result;
	if (sizeof(bits) > call->capacity - result->size) {
		(void)call_full(call);
		return;
	}
	memcpy(call->data + result->size, &bits, sizeof(bits));
	result->size += sizeof(bits);
	result->n_records++;
}

static void call_give_i64(struct call *call, int64_t value)
{
	if (call->result->kind == LEAT_I64) {
		call_put(call, value);
		return;
	}
	char text[NUMBER_I64_MAX];
	char *room = call_room(call, sizeof(text));
	size_t size = number_print_i64(room ? room : text, value);
	if (room)
		call_keep(call, size);
	else
		(void)call_emit(&call->out, text, size);
}

static void call_give_f64(struct call *call, double value)
{
	if (call->result->kind == LEAT_F64) {
		int64_t bits;
		memcpy(&bits, &value, sizeof(bits));
		call_put(call, bits);
		return;
	}
	char text[NUMBER_F64_MAX];
	char *room = call_room(call, sizeof(text));
	size_t size = number_print_f64(room ? room : text, value);
	if (room)
		call_keep(call, size);
	else
		(void)call_emit(&call->out, text, size);
}

static void call_record_i64(struct call *call, const char *record, size_t size)
{
	int64_t n;
	int r = number_parse_i64(record, size, &n);
	if (r == -ERANGE) {
		number_trim(&record, &size);
		bool cut = size > CALL_SHOWN_DIGITS;
		call_fail(call, r,
		    "%.*s%s does not fit int64_t; use the GMP form (void f(mpz_t, const mpz_t))",
		    cut ? CALL_SHOWN_DIGITS : (int)size, record, cut ? "..." : "");
	} else if (r < 0) {
		call_fail(call, r, "not an integer");
	} else {
		call_give_i64(call, ((call_i64 *)call->stage->function)(n));
	}
}

static void call_record_f64(struct call *call, const char *record, size_t size)
{
	double x;
	int r = number_parse_f64(record, size, &x);
	if (r < 0) {
		call_fail(call, r, r == -ENOMEM ? "out of memory" : "not a number");
		return;
	}
	call_give_f64(call, ((call_f64 *)call->stage->function)(x));
}

static void call_record_raw(struct call *call, const char *record, size_t size)
{
	int r = call->stage->adapter(call->stage->function, record, size, &call->out);
	if (r != 0)
		call_fail(call, r, "returned %d", r);
}

/*
 * Plain integers in newline or nul framing, without looking for each one's end first.
 * Leaves the reader at the first record that is anything else. Returns how many.
 */
static uint32_t call_plain_i64(struct call *call, struct frame_reader *reader)
{
	call_i64 *function = (call_i64 *)call->stage->function;
	char separator = frame_separator(call->frame);
	uint32_t n = 0;
	int64_t value;
	while (reader->at < reader->end) {
		const char *next = number_scan_i64(reader->at, reader->end, separator, &value);
		if (!next || call->capacity - call->result->size < 2 * NUMBER_I64_MAX)
			break;
		call_begin(call, n);
		call_give_i64(call, function(value));
		reader->at = next;
		n++;
	}
	return n;
}

static void call_record(struct call *call, const char *record, size_t size)
{
	if (call->stage->kind == LEAT_STAGE_I64)
		call_record_i64(call, record, size);
	else if (call->stage->kind == LEAT_STAGE_F64)
		call_record_f64(call, record, size);
	else
		call_record_raw(call, record, size);
}

static void call_records(struct call *call, const struct batch *batch)
{
	struct call_result *result = call->result;
	struct frame_reader reader = {
	    call->frame, batch->data, (const char *)batch->data + batch->size};
	const char *record;
	size_t size;
	/* With room for any number nothing can fail there. */
	bool plain = call->stage->kind == LEAT_STAGE_I64 && call->frame != LEAT_U32 &&
		     call->max_record >= NUMBER_I64_MAX && !call->progress;
	uint32_t index = plain ? call_plain_i64(call, &reader) : 0;
	for (; frame_next(&reader, &record, &size); index++) {
		call_begin(call, index);
		call_record(call, record, size);
		if (result->why[0]) {
			call_undo(result);
			return;
		}
	}
}

/* From array to array: nothing but the calls. */
static void call_array_to_array(struct call *call, const struct batch *batch)
{
	size_t n = batch->size / sizeof(int64_t);
	if (batch->kind == LEAT_I64) {
		call_i64 *function = (call_i64 *)call->stage->function;
		const int64_t *in = batch->data;
		int64_t *out = (int64_t *)(void *)call->data;
		for (size_t i = 0; i < n; i++) {
			call->result->at = (uint32_t)i;
			out[i] = function(in[i]);
		}
	} else {
		call_f64 *function = (call_f64 *)call->stage->function;
		const double *in = batch->data;
		double *out = (double *)(void *)call->data;
		for (size_t i = 0; i < n; i++) {
			call->result->at = (uint32_t)i;
			out[i] = function(in[i]);
		}
	}
	call->result->size = batch->size;
	call->result->n_records = (uint32_t)n;
}

static void call_array(struct call *call, const struct batch *batch)
{
	struct call_result *result = call->result;
	if (result->kind == batch->kind && batch->size <= call->capacity && !call->progress) {
		call_array_to_array(call, batch);
		return;
	}
	const int64_t *integers = batch->data;
	const double *reals = batch->data;
	uint32_t n = (uint32_t)(batch->size / sizeof(int64_t));
	for (uint32_t i = 0; i < n; i++) {
		call_begin(call, i);
		if (batch->kind == LEAT_I64)
			call_give_i64(call, ((call_i64 *)call->stage->function)(integers[i]));
		else
			call_give_f64(call, ((call_f64 *)call->stage->function)(reals[i]));
		if (result->why[0]) {
			call_undo(result);
			return;
		}
	}
}

void call_batch(const struct leat_stage *stage, const struct batch *batch,
    const struct call_output *output, struct call_result *ret_result)
{
	*ret_result = (struct call_result){.kind = output->wanted};
	bool lengths = output->frame == LEAT_U32 && output->max_record > UINT32_MAX;
	struct call call = {
	    .out = {.emit = call_emit, .fail = call_fail_raw},
	    .stage = stage,
	    .frame = output->frame,
	    .max_record = lengths ? UINT32_MAX : output->max_record,
	    .data = output->data,
	    .capacity = output->capacity,
	    .progress = output->progress,
	    .result = ret_result,
	};
	if (batch->kind == LEAT_RECORDS)
		call_records(&call, batch);
	else
		call_array(&call, batch);
}
