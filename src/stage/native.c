/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a C stage and running batches through it. Functions of int64_t and
 * double are called directly; every other form is raw by the time it gets here,
 * through the adapter that LEAT_STAGE() put beside the function.
 */
#include "native.h"

#include "compile.h"
#include "failure.h"
#include "number.h"
#include "quote.h"

#include <leat/stage.h>

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Digits shown of a number that is too long. */
#define NATIVE_SHOWN_DIGITS 24

struct native {
	void *handle;
	struct leat_stage stage;
};

/* What a message says of the stage: its name and the file it comes from. */
struct native_origin {
	const char *name;
	const char *path;
	const char *shown;
	int shown_size;
	bool compiled; /* the user wrote a .c file, and leat made the object */
};

static struct native_origin native_origin_of(const char *path, const char *name)
{
	size_t size;
	const char *shown = compile_shown(path, &size);
	return (struct native_origin){
	    .name = name,
	    .path = path,
	    .shown = shown,
	    .shown_size = (int)size,
	    .compiled = shown != path || path[size] != '\0',
	};
}

static void *native_load(const struct native_origin *origin, struct leat_error *reterr)
{
	/* Without a slash dlopen() would search the system's libraries. */
	char *path;
	if (asprintf(&path, "%s%s", strchr(origin->path, '/') ? "" : "./", origin->path) < 0) {
		failure(reterr, LEAT_CANNOT_START, 0, "out of memory");
		return NULL;
	}
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		/* The reason begins with the path again, unless a library of it is at fault. */
		const char *why = dlerror();
		size_t size = strlen(path);
		if (strncmp(why, path, size) == 0 && strncmp(why + size, ": ", 2) == 0)
			why += size + 2;
		bool unlinked = origin->compiled && strstr(why, "undefined symbol");
		failure(reterr, LEAT_CANNOT_START, 0, "stage '%s': %.*s: %s%s", origin->name,
		    origin->shown_size, origin->shown, why,
		    unlinked ? "; name its library in a line such as /* leat: -lm */" : "");
	}
	free(path);
	return handle;
}

/* What the object itself, not a library that it links, defines by this name; NULL if nothing. */
static void *native_own(void *handle, const char *symbol)
{
	const struct link_map *own;
	struct link_map *found;
	Dl_info info;
	void *address = dlsym(handle, symbol);
	if (!address || dlinfo(handle, RTLD_DI_LINKMAP, &own) < 0 ||
	    dladdr1(address, &info, (void **)&found, RTLD_DL_LINKMAP) == 0)
		return NULL;
	return own == found ? address : NULL;
}

static int native_find(void *handle, const char *function, const struct native_origin *origin,
    struct leat_stage *ret_stage, struct leat_error *reterr)
{
	char *symbol;
	if (asprintf(&symbol, "leat_stage_%s", function) < 0)
		return failure(reterr, LEAT_CANNOT_START, -ENOMEM, "out of memory");
	const struct leat_stage *stage = dlsym(handle, symbol);
	free(symbol);
	void *own = native_own(handle, function);
	if (!stage && own)
		return failure(reterr, LEAT_CANNOT_START, -ENOENT,
		    "stage '%s': %.*s has %s() but no LEAT_STAGE(%s): add that line", origin->name,
		    origin->shown_size, origin->shown, function, function);
	if (!stage)
		return failure(reterr, LEAT_CANNOT_START, -ENOENT,
		    "stage '%s': %.*s: no function '%s'", origin->name, origin->shown_size,
		    origin->shown, function);
	if (stage->abi != LEAT_STAGE_ABI)
		return failure(reterr, LEAT_CANNOT_START, -ENOEXEC,
		    "stage '%s': %.*s was built for version %" PRIu32
		    " of the stage interface, this leat has %d: build it again",
		    origin->name, origin->shown_size, origin->shown, stage->abi, LEAT_STAGE_ABI);
	bool known = stage->kind == LEAT_STAGE_I64 || stage->kind == LEAT_STAGE_F64 ||
		     (stage->kind == LEAT_STAGE_RAW && stage->adapter);
	if (!known || !stage->function)
		return failure(reterr, LEAT_CANNOT_START, -ENOEXEC,
		    "stage '%s': %.*s: leat_stage_%s is not what LEAT_STAGE(%s) makes",
		    origin->name, origin->shown_size, origin->shown, function, function);
	*ret_stage = *stage;
	/*
	 * The dynamic linker looks a name up in the program and its libraries first,
	 * so a stage called "times" would end in the C library's function.
	 */
	if (own)
		memcpy(&ret_stage->function, &own, sizeof(own));
	return 0;
}

int native_open(const char *path, const char *function, const char *name,
    struct native **ret_native, struct leat_error *reterr)
{
	struct native_origin origin = native_origin_of(path, name);
	struct native *native = calloc(1, sizeof(*native));
	if (!native)
		return failure(reterr, LEAT_CANNOT_START, -ENOMEM, "out of memory");
	int r = access(path, F_OK) < 0 ? -errno : -ENOEXEC;
	native->handle = native_load(&origin, reterr);
	if (native->handle)
		r = native_find(native->handle, function, &origin, &native->stage, reterr);
	if (r < 0) {
		native_close(native);
		return r;
	}
	*ret_native = native;
	return 0;
}

struct native *native_close(struct native *native)
{
	if (native && native->handle)
		dlclose(native->handle);
	free(native);
	return NULL;
}

/* One native_run(). A raw stage gets `out`, which comes first so that it leads back here. */
struct native_batch {
	struct leat_out out;
	enum leat_frame frame;
	uint64_t max_record;
	char *data;
	size_t capacity;
	struct native_result *result;
};

/* Fails the current record. The first reason stands: what follows comes of it. */
__attribute__((format(printf, 3, 4))) static int native_fail(
    struct native_batch *batch, int code, const char *format, ...)
{
	char *why = batch->result->why;
	if (why[0])
		return code;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(why, sizeof(batch->result->why), format, args);
	va_end(args);
	if (n >= (int)sizeof(batch->result->why))
		quote_trim(why);
	return code;
}

static int native_emit(struct leat_out *out, const void *record, size_t size)
{
	struct native_batch *batch = (struct native_batch *)out;
	struct native_result *result = batch->result;
	if (result->why[0])
		return -ECANCELED;
	if (size > batch->max_record)
		return native_fail(batch, -EMSGSIZE,
		    "gives a record of %zu bytes, over the limit of %" PRIu64, size,
		    batch->max_record);
	if (frame_check(batch->frame, record, size) < 0)
		return native_fail(batch, -EILSEQ, "gives a record that holds a %s",
		    batch->frame == LEAT_NEWLINE ? "newline; use --frame nul or u32"
						 : "NUL byte; use --frame newline or u32");
	if (frame_size(batch->frame, size) > batch->capacity - result->size ||
	    result->n_records == UINT32_MAX)
		return native_fail(batch, -ENOSPC,
		    "gives more than a batch can hold, which is %zu bytes", batch->capacity);
	char *end = frame_put(batch->frame, batch->data + result->size, record, size);
	result->size = (size_t)(end - batch->data);
	result->n_records++;
	return 0;
}

/*
 * Where a number of at most `most` bytes can be printed at once, without a copy;
 * NULL if it may not fit. No digit is a separator, so nothing else need be checked.
 */
static char *native_room(const struct native_batch *batch, size_t most)
{
	const struct native_result *result = batch->result;
	if (batch->max_record < most || result->n_records == UINT32_MAX ||
	    frame_size(batch->frame, most) > batch->capacity - result->size)
		return NULL;
	return batch->data + result->size + frame_before(batch->frame);
}

/* Keeps what was printed there. */
static void native_keep(struct native_batch *batch, size_t size)
{
	struct native_result *result = batch->result;
	char *end = frame_finish(batch->frame, batch->data + result->size, size);
	result->size = (size_t)(end - batch->data);
	result->n_records++;
}

/* What leat_fail() calls: the text is the stage's own, and must come out as one line. */
static int native_fail_raw(struct leat_out *out, const char *why)
{
	struct native_batch *batch = (struct native_batch *)out;
	bool first = !batch->result->why[0];
	native_fail(batch, 0, "%s", why && why[0] ? why : "failed");
	for (char *at = batch->result->why; first && *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	return -ECANCELED;
}

static void native_give_i64(struct native_batch *batch, int64_t value)
{
	char text[NUMBER_I64_MAX];
	char *room = native_room(batch, sizeof(text));
	size_t size = number_print_i64(room ? room : text, value);
	if (room)
		native_keep(batch, size);
	else
		(void)native_emit(&batch->out, text, size);
}

static void native_give_f64(struct native_batch *batch, double value)
{
	char text[NUMBER_F64_MAX];
	char *room = native_room(batch, sizeof(text));
	size_t size = number_print_f64(room ? room : text, value);
	if (room)
		native_keep(batch, size);
	else
		(void)native_emit(&batch->out, text, size);
}

static void native_call_i64(
    const struct native *native, struct native_batch *batch, const char *record, size_t size)
{
	int64_t n;
	int r = number_parse_i64(record, size, &n);
	if (r == -ERANGE) {
		number_trim(&record, &size);
		bool cut = size > NATIVE_SHOWN_DIGITS;
		native_fail(batch, r,
		    "%.*s%s does not fit int64_t; use the GMP form (void f(mpz_t, const mpz_t))",
		    cut ? NATIVE_SHOWN_DIGITS : (int)size, record, cut ? "..." : "");
	} else if (r < 0) {
		native_fail(batch, r, "not an integer");
	} else {
		native_give_i64(batch, ((int64_t(*)(int64_t))native->stage.function)(n));
	}
}

static void native_call_f64(
    const struct native *native, struct native_batch *batch, const char *record, size_t size)
{
	double x;
	int r = number_parse_f64(record, size, &x);
	if (r < 0) {
		native_fail(batch, r, r == -ENOMEM ? "out of memory" : "not a number");
		return;
	}
	native_give_f64(batch, ((double (*)(double))native->stage.function)(x));
}

static void native_call_raw(
    const struct native *native, struct native_batch *batch, const char *record, size_t size)
{
	const struct leat_stage *stage = &native->stage;
	int r = stage->adapter(stage->function, record, size, &batch->out);
	if (r != 0)
		native_fail(batch, r, "returned %d", r);
}

static void native_call(
    const struct native *native, struct native_batch *batch, const char *record, size_t size)
{
	if (native->stage.kind == LEAT_STAGE_I64)
		native_call_i64(native, batch, record, size);
	else if (native->stage.kind == LEAT_STAGE_F64)
		native_call_f64(native, batch, record, size);
	else
		native_call_raw(native, batch, record, size);
}

/*
 * Reads a record that is nothing but a sign and up to 18 digits on the way to its
 * end: nearly all integers are, and are passed over once instead of twice. False,
 * with nothing taken, for any other.
 */
static bool native_take_i64(struct frame_reader *reader, int64_t *ret)
{
	bool negative = reader->at < reader->end && *reader->at == '-';
	const char *digits = reader->at + negative;
	const char *at = digits;
	uint64_t value = 0;
	for (; at < reader->end && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (reader->frame == LEAT_U32 || at == digits || at - digits > 18 || at == reader->end ||
	    *at != frame_separator(reader->frame))
		return false;
	reader->at = at + 1;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* Runs the next record. Returns false at the end. */
static bool native_step(
    const struct native *native, struct native_batch *batch, struct frame_reader *reader)
{
	int64_t n;
	if (native->stage.kind == LEAT_STAGE_I64 && native_take_i64(reader, &n)) {
		native_give_i64(batch, ((int64_t(*)(int64_t))native->stage.function)(n));
		return true;
	}
	const char *record;
	size_t size;
	if (!frame_next(reader, &record, &size))
		return false;
	native_call(native, batch, record, size);
	return true;
}

void native_run(struct native *native, enum leat_frame frame, const void *in, size_t in_size,
    void *out, size_t capacity, uint64_t max_record, struct native_result *ret_result)
{
	ret_result->size = 0;
	ret_result->n_records = 0;
	ret_result->failed = 0;
	ret_result->why[0] = '\0';
	struct native_batch batch = {
	    .out = {.emit = native_emit, .fail = native_fail_raw},
	    .frame = frame,
	    .max_record = frame == LEAT_U32 && max_record > UINT32_MAX ? UINT32_MAX : max_record,
	    .data = out,
	    .capacity = capacity,
	    .result = ret_result,
	};
	struct frame_reader reader = {.frame = frame, .at = in, .end = (const char *)in + in_size};
	size_t size = 0;
	uint32_t n_records = 0;
	for (uint32_t index = 0; native_step(native, &batch, &reader); index++) {
		if (ret_result->why[0]) {
			/* Without what the failing record has given. */
			ret_result->size = size;
			ret_result->n_records = n_records;
			ret_result->failed = index;
			return;
		}
		size = ret_result->size;
		n_records = ret_result->n_records;
	}
}
