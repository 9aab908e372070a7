/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage in C. Write a plain function and mark it:
 *
 *	#include <leat.h>
 *
 *	int64_t mul(int64_t n) { return n * 2; }
 *	LEAT_STAGE(mul)
 *
 * The macro picks the adapter by the function's type:
 *
 *	int64_t f(int64_t)                 a decimal integer that fits 64 bits
 *	double  f(double)                  a number, written as Python's repr does
 *	void    f(mpz_t result, const mpz_t n)
 *	                                   an integer of any size, with GMP: include
 *	                                   <gmp.h> before this header
 *	int     f(const void *record, size_t size, struct leat_out *out)
 *	                                   the raw form: bytes in, any number of
 *	                                   records out by leat_emit(); it returns
 *	                                   0, or leat_fail(out, "why")
 *
 * The raw form's record is not NUL-terminated and is only valid during the call.
 *
 * What the file links is named in a comment of its own line, for example
 * to link GMP: the word leat, a colon, and -lgmp.
 *
 * A shared object needs nothing from libleat: everything here is inline.
 * Threads: a stage's calls come one at a time unless the user asks for more
 * than one worker; then a function must be safe to call from several threads.
 */
#ifndef LEAT_STAGE_H
#define LEAT_STAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#error "write a C stage in C: LEAT_STAGE uses _Generic"
#endif

#define LEAT_STAGE_ABI 1

/* Where a raw stage puts its records; owned by the worker. */
struct leat_out {
	int (*emit)(struct leat_out *out, const void *record, size_t size);
	int (*fail)(struct leat_out *out, const char *why);
};

/*
 * Appends one output record; the bytes are copied. Returns 0, or a negative
 * errno when it does not fit: return that from the stage.
 */
static inline int leat_emit(struct leat_out *out, const void *record, size_t size)
{
	return out->emit(out, record, size);
}

/*
 * Fails the record with one line that a person reads. Returns what the stage
 * must return. Records already emitted for this input record are dropped.
 */
static inline int leat_fail(struct leat_out *out, const char *why)
{
	return out->fail(out, why);
}

enum leat_stage_kind {
	LEAT_STAGE_I64 = 1, /* function is int64_t (*)(int64_t) */
	LEAT_STAGE_F64 = 2, /* function is double (*)(double) */
	LEAT_STAGE_RAW = 3, /* adapter is called, with function as its first argument */
};

typedef void leat_function(void);
typedef int leat_raw(const void *record, size_t size, struct leat_out *out);
typedef int leat_adapter(
    leat_function *function, const void *record, size_t size, struct leat_out *out);

/* What LEAT_STAGE(f) exports as the symbol leat_stage_f. */
struct leat_stage {
	uint32_t abi;
	uint32_t kind;
	leat_function *function;
	leat_adapter *adapter;
};

static inline int leat_adapt_raw(
    leat_function *function, const void *record, size_t size, struct leat_out *out)
{
	return ((leat_raw *)function)(record, size, out);
}

#ifdef __GNU_MP_VERSION

#include <stdlib.h>
#include <string.h>

/*
 * The integer that a record holds, read as Python's int() reads it; GMP itself
 * would allow blanks between digits and no plus sign. Returns NULL, or why not.
 */
static inline const char *leat_gmp_read(mpz_t ret, const void *record, size_t size)
{
	static const char blanks[] = " \t\n\v\f\r";
	char *text = malloc(size + 1);
	if (!text)
		return "out of memory";
	memcpy(text, record, size);
	while (size > 0 && text[size - 1] != '\0' && strchr(blanks, text[size - 1]))
		size--;
	text[size] = '\0';
	const char *number = text + strspn(text, blanks);
	const char *digits = number + (*number == '+' || *number == '-');
	size_t n_digits = strspn(digits, "0123456789");
	int bad = n_digits == 0 || digits + n_digits != text + size;
	if (!bad)
		bad = mpz_set_str(ret, *number == '+' ? digits : number, 10) != 0;
	free(text);
	return bad ? "not an integer" : NULL;
}

/* Decimal text to mpz_t and back around one call. */
static inline int leat_adapt_gmp(
    leat_function *function, const void *record, size_t size, struct leat_out *out)
{
	mpz_t n;
	mpz_t result;
	mpz_init(n);
	mpz_init(result);
	const char *why = leat_gmp_read(n, record, size);
	char *text = NULL;
	if (!why) {
		((void (*)(mpz_ptr, mpz_srcptr))function)(result, n);
		text = malloc(mpz_sizeinbase(result, 10) + 2);
		if (!text)
			why = "out of memory";
	}
	int r;
	if (why) {
		r = leat_fail(out, why);
	} else {
		mpz_get_str(text, 10, result);
		r = leat_emit(out, text, strlen(text));
	}
	free(text);
	mpz_clear(n);
	mpz_clear(result);
	return r;
}

#define LEAT_STAGE_GMP_KIND_(f)	   , void (*)(mpz_ptr, mpz_srcptr) : LEAT_STAGE_RAW
#define LEAT_STAGE_GMP_ADAPTER_(f) , void (*)(mpz_ptr, mpz_srcptr) : leat_adapt_gmp
#else
#define LEAT_STAGE_GMP_KIND_(f)
#define LEAT_STAGE_GMP_ADAPTER_(f)
#endif

#define LEAT_STAGE(f)                                                                              \
	__attribute__((visibility("default"))) extern const struct leat_stage leat_stage_##f;      \
	const struct leat_stage leat_stage_##f = {                                                 \
		.abi = LEAT_STAGE_ABI,                                                             \
		.kind = _Generic(&(f),                                                             \
			int64_t(*)(int64_t) : LEAT_STAGE_I64,                                      \
			double (*)(double) : LEAT_STAGE_F64,                                       \
			leat_raw * : LEAT_STAGE_RAW LEAT_STAGE_GMP_KIND_(f)),                      \
		.function = (leat_function *)(f),                                                  \
		.adapter = _Generic(&(f),                                                          \
			int64_t(*)(int64_t) : NULL,                                                \
			double (*)(double) : NULL,                                                 \
			leat_raw * : leat_adapt_raw LEAT_STAGE_GMP_ADAPTER_(f)),                   \
	};

#endif
