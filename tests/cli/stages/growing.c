/* SPDX-License-Identifier: Apache-2.0 */
#include <leat.h>
#include <stdlib.h>

/* As many bytes of the record, over and over, as one output record. */
static int repeat_to(const char *record, size_t size, size_t to, struct leat_out *out)
{
	char *text = malloc(to + 1);
	if (!text)
		return leat_fail(out, "out of memory");
	for (size_t i = 0; i < to; i++)
		text[i] = record[i % size];
	int r = leat_emit(out, text, to);
	free(text);
	return r;
}

int thousandfold(const void *record, size_t size, struct leat_out *out)
{
	return repeat_to(record, size, 1000 * size, out);
}
LEAT_STAGE(thousandfold)

/* One record in eleven grows, and nothing tells which. */
int burst(const void *record, size_t size, struct leat_out *out)
{
	const char *bytes = record;
	unsigned hash = 7;
	for (size_t i = 0; i < size; i++)
		hash = hash * 31 + (unsigned char)bytes[i];
	return repeat_to(bytes, size, hash / 7 % 11 == 0 ? 20000 : size, out);
}
LEAT_STAGE(burst)

int shorten(const void *record, size_t size, struct leat_out *out)
{
	return leat_emit(out, record, size < 40 ? size : 40);
}
LEAT_STAGE(shorten)
