/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digits are read and written eight at a time in a 64-bit word, whose lowest byte is the first
 * character: neighbours are joined, or split, in three steps, from digits to pairs to fours.
 */
#include "number_array.h"

#include "number.h"

#include <assert.h>
#include <endian.h>
#include <float.h>
#include <stdbool.h>
#include <string.h>

#define NUMBERS_WORD 8u

/* More digits than this may not fit an int64_t. */
#define NUMBERS_DIGITS 18u

/* Reading one number looks at no more bytes: a minus, three words and a separator. */
#define NUMBERS_LOOK 32

/* What is no digit and no separator, for behind the end. */
#define NUMBERS_FILLER 'x'

/* The byte in each of a word's bytes. */
#define NUMBERS_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static const uint64_t numbers_tens[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

/* The number that eight digits are, given their values; the first may be zeros. */
static inline uint64_t number_array_join(uint64_t digits)
{
	digits = digits * 10 + (digits >> 8);
	/* Every other byte is a pair now. One multiplication each for the first and third, and the
	   second and fourth: the sum of the four, each times its power, is in the upper half. */
	const uint64_t mask = UINT64_C(0x000000ff000000ff);
	uint64_t odd = (digits & mask) * (100 + (UINT64_C(1000000) << 32));
	uint64_t even = ((digits >> 16) & mask) * (1 + (UINT64_C(10000) << 32));
	return (odd + even) >> 32;
}

/* Reads the digits that the next eight bytes start with; returns how many they are. */
static inline unsigned number_array_scan_word(const char *at, uint64_t *ret_value)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	uint64_t digits = le64toh(word) ^ NUMBERS_EACH('0');
	/* The highest bit of each byte that is no digit. One may carry into those behind it, but
	   the first is right. */
	uint64_t others = ((digits + NUMBERS_EACH(0x7f - 9)) | digits) & NUMBERS_EACH(0x80);
	if (others == 0) {
		*ret_value = number_array_join(digits);
		return NUMBERS_WORD;
	}
	unsigned bit = (unsigned)__builtin_ctzll(others) - 7;
	/* The digits become the last of eight, behind zeros. In two steps, as none may be there. */
	*ret_value = number_array_join(digits << 8 << (56 - bit));
	return bit / 8;
}

/* An integer of any length. */
static const char *number_array_scan_long_i64(const char *at, char separator, int64_t *ret)
{
	bool negative = *at == '-';
	at += negative;
	uint64_t value = 0;
	unsigned n = 0;
	unsigned more = NUMBERS_WORD;
	/* A third full word is too many digits already. */
	for (unsigned i = 0; more == NUMBERS_WORD && i < 3; i++) {
		uint64_t low;
		more = number_array_scan_word(at + n, &low);
		value = value * numbers_tens[more] + low;
		n += more;
	}
	if (n == 0 || n > NUMBERS_DIGITS || at[n] != separator)
		return NULL;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return at + n + 1;
}

/*
 * Where the separator is says where the next number begins, so it is looked for first: the
 * processor then works on several numbers at once.
 */
static inline const char *number_array_scan_one_i64(const char *at, char separator, int64_t *ret)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	word = le64toh(word);
	uint64_t found = word ^ NUMBERS_EACH((unsigned char)separator);
	/* The highest bit of each zero byte; behind the first one it may be wrong. */
	found = (found - NUMBERS_EACH(1)) & ~found & NUMBERS_EACH(0x80);
	if (found == 0)
		return number_array_scan_long_i64(at, separator, ret);
	unsigned size = (unsigned)__builtin_ctzll(found) / 8;
	uint64_t negative = (word & 0xff) == '-';
	/* The minus becomes a leading zero. */
	uint64_t digits = word ^ NUMBERS_EACH('0') ^ negative * ('-' ^ '0');
	if (size == negative)
		return NULL;
	digits <<= 64 - 8 * size;
	if (((digits + NUMBERS_EACH(0x7f - 9)) | digits) & NUMBERS_EACH(0x80))
		return NULL;
	*ret = (int64_t)((number_array_join(digits) ^ (0 - negative)) + negative);
	return at + size + 1;
}

/*
 * Digits and a power of ten that are doubles themselves: the one division rounds once,
 * and correctly.
 */
static inline const char *number_array_scan_one_f64(const char *at, char separator, double *ret)
{
	static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
	bool negative = *at == '-';
	at += negative;
	uint64_t value;
	unsigned n = number_array_scan_word(at, &value);
	unsigned fraction = 0;
	if (n == 0 || n == NUMBERS_WORD)
		return NULL;
	at += n;
	if (*at == '.') {
		uint64_t low;
		fraction = number_array_scan_word(++at, &low);
		if (fraction == NUMBERS_WORD)
			return NULL;
		value = value * numbers_tens[fraction] + low;
		at += fraction;
	}
	if (*at != separator)
		return NULL;
	double real = (double)value / tens[fraction];
	*ret = negative ? -real : real;
	return at + 1;
}

/* The same code for both types: the compiler makes two of it, each without the question. */
static inline __attribute__((always_inline)) uint32_t number_array_scan_until(
    const char **at, const char *end, char separator, bool real, void *values, uint32_t n)
{
	const char *from = *at;
	uint32_t i = 0;
	for (; i < n && from < end; i++) {
		const char *next =
		    real ? number_array_scan_one_f64(from, separator, (double *)values + i)
			 : number_array_scan_one_i64(from, separator, (int64_t *)values + i);
		if (!next)
			break;
		from = next;
	}
	*at = from;
	return i;
}

/* The text's last bytes are read from a copy with filler behind, where looking far is harmless. */
static inline __attribute__((always_inline)) uint32_t number_array_scan(
    const char **at, const char *end, char separator, bool real, void *values, uint32_t n)
{
	assert(separator != NUMBERS_FILLER);
	uint32_t done = 0;
	if (end - *at > NUMBERS_LOOK)
		done = number_array_scan_until(at, end - NUMBERS_LOOK, separator, real, values, n);
	size_t left = (size_t)(end - *at);
	if (left > NUMBERS_LOOK || done == n)
		return done;
	char tail[2 * NUMBERS_LOOK];
	memset(tail, NUMBERS_FILLER, sizeof(tail));
	memcpy(tail, *at, left);
	const char *from = tail;
	done += number_array_scan_until(
	    &from, tail + left, separator, real, (int64_t *)values + done, n - done);
	*at += from - tail;
	return done;
}

uint32_t number_array_scan_i64(
    const char **at, const char *end, char separator, int64_t *values, uint32_t n)
{
	return number_array_scan(at, end, separator, false, values, n);
}

uint32_t number_array_scan_f64(
    const char **at, const char *end, char separator, double *values, uint32_t n)
{
	/* Elsewhere an operation may round twice. */
	if (FLT_EVAL_METHOD != 0)
		return 0;
	return number_array_scan(at, end, separator, true, values, n);
}

/* The values of the eight digits of a number below 10^8. */
static inline uint64_t number_array_split(uint64_t value)
{
	uint64_t fours = value / 10000 | value % 10000 << 32;
	/* A lane's quotient by a multiplication that is exact for so few digits. */
	uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
	uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
	uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000f000f000f000f);
	return tens | (pairs - tens * 10) << 8;
}

static inline void number_array_put_word(char *to, uint64_t characters)
{
	characters = htole64(characters);
	memcpy(to, &characters, sizeof(characters));
}

/* Writes a number below 10^8 without leading zeros, and some bytes more; returns its end. */
static inline char *number_array_put_first(char *to, uint64_t value)
{
	uint64_t digits = number_array_split(value);
	/* The last digit is written even if it is zero. */
	unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;
	number_array_put_word(to, (digits | NUMBERS_EACH('0')) >> 8 * zeros);
	return to + NUMBERS_WORD - zeros;
}

static inline char *number_array_put_rest(char *to, uint64_t value)
{
	number_array_put_word(to, number_array_split(value) | NUMBERS_EACH('0'));
	return to + NUMBERS_WORD;
}

static inline char *number_array_put_i64(char *to, int64_t value)
{
	const uint64_t word = 100000000;
	*to = '-';
	to += value < 0;
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	if (size < word)
		return number_array_put_first(to, size);
	if (size < word * word) {
		to = number_array_put_first(to, size / word);
	} else {
		to = number_array_put_first(to, size / (word * word));
		to = number_array_put_rest(to, size / word % word);
	}
	return number_array_put_rest(to, size % word);
}

char *number_array_print_i64(char *to, char separator, const int64_t *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		to = number_array_put_i64(to, values[i]);
		*to++ = separator;
	}
	return to;
}

char *number_array_print_f64(char *to, char separator, const double *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		to += number_print_f64(to, values[i]);
		*to++ = separator;
	}
	return to;
}
