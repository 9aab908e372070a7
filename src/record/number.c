/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a double takes the exact short cut of Clinger ("How to read floating
 * point numbers accurately", 1990) where it applies, and strtod() elsewhere.
 *
 * Writing one is Raffaello Giulietti's Schubfach ("The Schubfach way to render
 * doubles", 2020). A double v = c * 2^q stands for every real number in an
 * interval around it. With k the largest power of ten that is no wider than the
 * interval, at least one multiple of 10^k lies in it, and at most one of
 * 10^(k+1): that one is the shortest text, else the multiple of 10^k that is
 * nearest to v. Whether a multiple lies inside is decided on integers, after
 * scaling v and the interval's ends by 4 * 10^-k, with 10^-k to 128 bits. The
 * paper proves that 126 suffice if what is cut off is remembered in the last bit.
 */
#include "number.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

__extension__ typedef unsigned __int128 number_u128;

static const char number_pairs[] = "00010203040506070809101112131415161718192021222324"
				   "25262728293031323334353637383940414243444546474849"
				   "50515253545556575859606162636465666768697071727374"
				   "75767778798081828384858687888990919293949596979899";

static bool number_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool number_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void number_trim(const char **text, size_t *size)
{
	while (*size > 0 && number_is_space((*text)[0])) {
		(*text)++;
		(*size)--;
	}
	while (*size > 0 && number_is_space((*text)[*size - 1]))
		(*size)--;
}

int number_parse_i64(const char *text, size_t size, int64_t *ret)
{
	number_trim(&text, &size);
	const char *at = text;
	const char *end = text + size;
	bool negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (at == end)
		return -EINVAL;
	/* The magnitude of INT64_MIN is one more than INT64_MAX. */
	uint64_t limit = (uint64_t)INT64_MAX + negative;
	uint64_t value = 0;
	/* The first 18 digits always fit. */
	for (const char *safe = end - at > 18 ? at + 18 : end; at < safe; at++) {
		if (!number_is_digit(*at))
			return -EINVAL;
		value = value * 10 + (uint64_t)(*at - '0');
	}
	bool fits = true;
	for (; at < end; at++) {
		if (!number_is_digit(*at))
			return -EINVAL;
		uint64_t digit = (uint64_t)(*at - '0');
		if (value > (limit - digit) / 10)
			fits = false;
		value = value * 10 + digit;
	}
	if (!fits)
		return -ERANGE;
	*ret = (int64_t)(negative ? 0 - value : value);
	return 0;
}

/* Writes the digits of the value; returns how many they are. */
static size_t number_put_digits(char *to, uint64_t value)
{
	static const uint64_t tens[] = {0, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
	    100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
	    100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
	    1000000000000000000, 10000000000000000000u};
	/* bits * log10(2), which is about 1233 / 4096: the number of digits or one less. */
	unsigned guess = (64 - (unsigned)__builtin_clzll(value | 1)) * 1233 >> 12;
	size_t n = guess + (value >= tens[guess]);
	char *at = to + n;
	for (; value >= 100; value /= 100) {
		at -= 2;
		memcpy(at, number_pairs + value % 100 * 2, 2);
	}
	if (value >= 10)
		memcpy(to, number_pairs + value * 2, 2);
	else
		*to = (char)('0' + value);
	return n;
}

size_t number_print_i64(char *to, int64_t value)
{
	if (value >= 0)
		return number_put_digits(to, (uint64_t)value);
	*to = '-';
	return 1 + number_put_digits(to + 1, 0 - (uint64_t)value);
}

/* A decimal number taken apart: digits * 10^exponent, cut to what an uint64_t holds. */
struct number_decimal {
	uint64_t digits;
	int64_t exponent;
	bool cut; /* a digit was left out, so the two above are not the whole truth */
};

/* Reads digits up to the first other character; returns how many it read. */
static size_t number_scan_digits(const char *at, const char *end, struct number_decimal *decimal)
{
	const char *start = at;
	for (; at < end && number_is_digit(*at); at++) {
		if (decimal->digits < UINT64_MAX / 10 - 1) {
			decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
		} else {
			decimal->cut = true;
		}
	}
	return (size_t)(at - start);
}

/* Reads "e+12" at the end of a number; returns false when that is not what is there. */
static bool number_scan_exponent(const char *at, const char *end, struct number_decimal *decimal)
{
	if (at == end)
		return true;
	if (*at != 'e' && *at != 'E')
		return false;
	at++;
	bool negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	struct number_decimal exponent = {0};
	size_t n = number_scan_digits(at, end, &exponent);
	if (n == 0 || at + n != end)
		return false;
	/* Past these bounds only strtod() can tell: it reads the text again. */
	if (exponent.cut || exponent.digits > 1000)
		decimal->cut = true;
	else
		decimal->exponent +=
		    negative ? -(int64_t)exponent.digits : (int64_t)exponent.digits;
	return true;
}

/* The grammar of an unsigned finite number. Returns false when it is not one. */
static bool number_scan(const char *at, const char *end, struct number_decimal *decimal)
{
	size_t whole = number_scan_digits(at, end, decimal);
	at += whole;
	size_t fraction = 0;
	if (at < end && *at == '.') {
		fraction = number_scan_digits(at + 1, end, decimal);
		at += 1 + fraction;
	}
	decimal->exponent = -(int64_t)fraction;
	return whole + fraction > 0 && number_scan_exponent(at, end, decimal);
}

static bool number_scan_special(const char *text, size_t size, double *ret)
{
	if ((size == 3 && strncasecmp(text, "inf", 3) == 0) ||
	    (size == 8 && strncasecmp(text, "infinity", 8) == 0))
		*ret = (double)INFINITY;
	else if (size == 3 && strncasecmp(text, "nan", 3) == 0)
		*ret = (double)NAN;
	else
		return false;
	return true;
}

/*
 * Exact where both the digits and the power of ten are doubles themselves: then
 * the one multiplication or division rounds once, and correctly.
 */
static bool number_convert_exactly(const struct number_decimal *decimal, double *ret)
{
	static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
	    1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	if (FLT_EVAL_METHOD != 0 || decimal->cut || decimal->digits > (uint64_t)1 << DBL_MANT_DIG ||
	    decimal->exponent < -22 || decimal->exponent > 22)
		return false;
	double digits = (double)decimal->digits;
	*ret = decimal->exponent < 0 ? digits / powers[-decimal->exponent]
				     : digits * powers[decimal->exponent];
	return true;
}

static locale_t number_c_locale;

static void number_make_c_locale(void)
{
	number_c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

/* Any text that number_scan() has accepted. Returns 0 or -ENOMEM. */
static int number_convert(const char *text, size_t size, double *ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, number_make_c_locale);
	char small[128];
	char *copy = size < sizeof(small) ? small : malloc(size + 1);
	if (!copy || !number_c_locale) {
		if (copy != small)
			free(copy);
		return -ENOMEM;
	}
	memcpy(copy, text, size);
	copy[size] = '\0';
	*ret = strtod_l(copy, NULL, number_c_locale);
	if (copy != small)
		free(copy);
	return 0;
}

int number_parse_f64(const char *text, size_t size, double *ret)
{
	number_trim(&text, &size);
	bool negative = size > 0 && *text == '-';
	if (size > 0 && (*text == '-' || *text == '+')) {
		text++;
		size--;
	}
	double value;
	struct number_decimal decimal = {0};
	if (number_scan(text, text + size, &decimal)) {
		if (!number_convert_exactly(&decimal, &value)) {
			int r = number_convert(text, size, &value);
			if (r < 0)
				return r;
		}
	} else if (!number_scan_special(text, size, &value)) {
		return -EINVAL;
	}
	*ret = negative ? -value : value;
	return 0;
}

/* The powers of ten by which Schubfach scales a double. */
#define NUMBER_POWER_MIN (-292)
#define NUMBER_POWER_MAX 324

/* 10^n for each n of them, rounded up to 128 bits of which the highest is set. */
static number_u128 number_powers[NUMBER_POWER_MAX - NUMBER_POWER_MIN + 1];

/* An unsigned number of 1152 bits, lowest limb first: room for 10^324, and for 10^-292 to 182 bits.
 */
#define NUMBER_LIMBS 36

/* The highest 128 bits of a number, rounded up, with leading zeros shifted out. */
static number_u128 number_top_bits(const uint32_t *limbs)
{
	int top = NUMBER_LIMBS - 1;
	while (limbs[top] == 0)
		top--;
	int shift = __builtin_clz(limbs[top]);
	number_u128 bits = 0;
	for (int i = top; i > top - 4; i--)
		bits = bits << 32 | (i >= 0 ? limbs[i] : 0);
	uint64_t below = top >= 4 ? (uint64_t)limbs[top - 4] << shift : 0;
	bits = bits << shift | below >> 32;
	bool exact = (uint32_t)below == 0;
	for (int i = 0; i < top - 4 && exact; i++)
		exact = limbs[i] == 0;
	return exact ? bits : bits + 1;
}

static void number_make_powers(void)
{
	uint32_t limbs[NUMBER_LIMBS] = {1};
	for (int n = 0; n <= NUMBER_POWER_MAX; n++) {
		number_powers[n - NUMBER_POWER_MIN] = number_top_bits(limbs);
		uint64_t carry = 0;
		for (int i = 0; i < NUMBER_LIMBS && n < NUMBER_POWER_MAX; i++) {
			carry += (uint64_t)limbs[i] * 10;
			limbs[i] = (uint32_t)carry;
			carry >>= 32;
		}
	}
	/* 2^1151 / 10^n, rounded down at every step, is 2^1151 / 10^n rounded down once. */
	memset(limbs, 0, sizeof(limbs));
	limbs[NUMBER_LIMBS - 1] = (uint32_t)1 << 31;
	for (int n = -1; n >= NUMBER_POWER_MIN; n--) {
		uint64_t rest = 0;
		for (int i = NUMBER_LIMBS - 1; i >= 0; i--) {
			rest = rest << 32 | limbs[i];
			limbs[i] = (uint32_t)(rest / 10);
			rest %= 10;
		}
		number_powers[n - NUMBER_POWER_MIN] = number_top_bits(limbs);
	}
}

/* floor(log2(10^n)), for |n| <= 1650. */
static int number_log2_of_power(int n)
{
	return (n * 1741647) >> 19;
}

/* power * factor / 2^128, rounded down; its last bit is set if that cut something off. */
static uint64_t number_scale(number_u128 power, uint64_t factor)
{
	number_u128 low = (number_u128)(uint64_t)power * factor;
	number_u128 product = (power >> 64) * factor + (low >> 64);
	/* A middle word of 1 comes of the power's own rounding up: the true product is whole. */
	return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

/* The shortest decimal that reads back as the finite, positive value; see the top of the file. */
static struct number_decimal number_shorten(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
	int biased = (int)(bits >> 52);
	uint64_t c = biased == 0 ? fraction : fraction | (uint64_t)1 << 52;
	int q = (biased == 0 ? 1 : biased) - 1075;

	/* Below a power of two the doubles are half as far apart as above it. */
	bool narrow = fraction == 0 && biased > 1;
	/* floor(log10(width of the interval)): of 2^q, or of 3/4 * 2^q. */
	int k = (q * 1262611 - (narrow ? 524031 : 0)) >> 22;
	number_u128 power = number_powers[-k - NUMBER_POWER_MIN];
	int shift = q + number_log2_of_power(-k) + 1;
	/* From here on, everything is four times its multiple of 10^k. */
	uint64_t middle = number_scale(power, 4 * c << shift);
	/* An end belongs to the interval if c is even: reading rounds half to even. */
	uint64_t low = number_scale(power, (4 * c - (narrow ? 1 : 2)) << shift) + (c & 1);
	uint64_t high = number_scale(power, (4 * c + 2) << shift) - (c & 1);

	uint64_t digits = middle / 4;
	uint64_t tens = digits / 10;
	bool tens_below = low <= 40 * tens;
	bool tens_above = 40 * (tens + 1) <= high;
	if (digits >= 10 && tens_below != tens_above)
		return (struct number_decimal){.digits = tens + tens_above, .exponent = k + 1};
	bool below = low <= 4 * digits;
	bool above = 4 * (digits + 1) <= high;
	/* Where both are inside, the nearer one; half way, the even one. */
	bool up = below != above ? above : (middle & 3) + (digits & 1) > 2;
	return (struct number_decimal){.digits = digits + up, .exponent = k};
}

/* Lays the digits out as Python does: with an exponent below 1e-4 and from 1e16 on. */
static char *number_put_decimal(char *to, const char *digits, int n, int exponent)
{
	if (exponent < -4 || exponent >= 16) {
		*to++ = digits[0];
		if (n > 1)
			*to++ = '.';
		to = mempcpy(to, digits + 1, (size_t)n - 1);
		*to++ = 'e';
		*to++ = exponent < 0 ? '-' : '+';
		int size = abs(exponent);
		if (size >= 100)
			*to++ = (char)('0' + size / 100);
		return mempcpy(to, number_pairs + size % 100 * 2, 2);
	}
	int whole = exponent + 1;
	if (whole <= 0) {
		to = mempcpy(to, "0.000", (size_t)(2 - whole));
		return mempcpy(to, digits, (size_t)n);
	}
	int before = n < whole ? n : whole;
	to = mempcpy(to, digits, (size_t)before);
	for (; before < whole; before++)
		*to++ = '0';
	*to++ = '.';
	if (n <= whole) {
		*to++ = '0';
		return to;
	}
	return mempcpy(to, digits + whole, (size_t)(n - whole));
}

static pthread_once_t number_powers_once = PTHREAD_ONCE_INIT;

size_t number_print_f64(char *to, double value)
{
	char *start = to;
	if (isnan(value))
		return (size_t)((char *)mempcpy(to, "nan", 3) - start);
	if (signbit(value)) {
		*to++ = '-';
		value = -value;
	}
	if (isinf(value))
		return (size_t)((char *)mempcpy(to, "inf", 3) - start);
	if (value == 0)
		return (size_t)((char *)mempcpy(to, "0.0", 3) - start);
	/* Below 2^53 all whole numbers are doubles, so none has a shorter text than its digits. */
	if (value < 0x1p53 && value == (double)(uint64_t)value) {
		to += number_put_digits(to, (uint64_t)value);
		return (size_t)((char *)mempcpy(to, ".0", 2) - start);
	}
	pthread_once(&number_powers_once, number_make_powers);
	struct number_decimal decimal = number_shorten(value);
	if (decimal.digits % 100000000 == 0) {
		decimal.digits /= 100000000;
		decimal.exponent += 8;
	}
	while (decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.exponent++;
	}
	char digits[NUMBER_I64_MAX];
	int n = (int)number_put_digits(digits, decimal.digits);
	to = number_put_decimal(to, digits, n, (int)decimal.exponent + n - 1);
	return (size_t)(to - start);
}
