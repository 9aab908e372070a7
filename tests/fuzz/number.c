/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a text that may be a number, or a row of them; its first eight bytes are also a double. */
#include "number.h"
#include "number_array.h"

#include "fuzz.h"

#include <errno.h>
#include <string.h>

static void check_i64(const char *text, size_t size)
{
	int64_t value;
	int r = number_parse_i64(text, size, &value);
	fuzz_expect(r == 0 || r == -EINVAL || r == -ERANGE);
	double real;
	/* Every integer is also a number. */
	if (r != -EINVAL)
		fuzz_expect(number_parse_f64(text, size, &real) == 0);
	if (r < 0)
		return;
	fuzz_expect(real == (double)value);
	char printed[NUMBER_I64_MAX];
	size_t printed_size = number_print_i64(printed, value);
	fuzz_expect(printed_size <= sizeof(printed));
	int64_t again;
	fuzz_expect(number_parse_i64(printed, printed_size, &again) == 0 && again == value);
}

static uint64_t bits_of(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* What the quick ways read, the exact ones read alike; and it is written back alike. */
static void check_rows(const char *text, size_t size, char separator)
{
	const char *end = text + size;
	const char *at = text;
	int64_t integer;
	double real;
	char printed[NUMBER_I64_MAX + 1];
	char quickly[NUMBER_I64_MAX + 1];
	for (const char *from = at; number_array_scan_i64(&at, end, separator, &integer, 1) == 1;
	     from = at) {
		int64_t again;
		fuzz_expect(from < at && at <= end && at[-1] == separator);
		fuzz_expect(number_parse_i64(from, (size_t)(at - from) - 1, &again) == 0);
		fuzz_expect(again == integer);
		size_t n = number_print_i64(printed, integer);
		printed[n] = separator;
		fuzz_expect(
		    number_array_print_i64(quickly, separator, &integer, 1) == quickly + n + 1);
		fuzz_expect(memcmp(printed, quickly, n + 1) == 0);
	}
	at = text;
	for (const char *from = at; number_array_scan_f64(&at, end, separator, &real, 1) == 1;
	     from = at) {
		double again;
		fuzz_expect(from < at && at <= end && at[-1] == separator);
		fuzz_expect(number_parse_f64(from, (size_t)(at - from) - 1, &again) == 0);
		fuzz_expect(bits_of(again) == bits_of(real));
	}
}

static void check_f64(double value)
{
	char printed[NUMBER_F64_MAX];
	size_t printed_size = number_print_f64(printed, value);
	fuzz_expect(printed_size <= sizeof(printed));
	double again;
	fuzz_expect(number_parse_f64(printed, printed_size, &again) == 0);
	/* By bits, since -0.0 == 0.0; all NaNs are one. */
	fuzz_expect(bits_of(again) == bits_of(value) || value != value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of its own size, so that reading one byte too many is seen. */
	char *text = malloc(size + (size == 0));
	fuzz_expect(text != NULL);
	memcpy(text, data, size);
	check_i64(text, size);
	check_rows(text, size, '\n');
	check_rows(text, size, '\0');
	double value;
	if (number_parse_f64(text, size, &value) == 0)
		check_f64(value);
	if (size >= sizeof(value)) {
		memcpy(&value, text, sizeof(value));
		check_f64(value);
	}
	free(text);
	return 0;
}
