/* SPDX-License-Identifier: Apache-2.0 */
#include <leat.h>
#include <stdlib.h>

int copy(const void *record, size_t size, struct leat_out *out)
{
	return leat_emit(out, record, size);
}
LEAT_STAGE(copy)

int reverse(const void *record, size_t size, struct leat_out *out)
{
	const char *from = record;
	char *to = malloc(size + 1);
	if (!to)
		return leat_fail(out, "out of memory");
	for (size_t i = 0; i < size; i++)
		to[i] = from[size - 1 - i];
	int r = leat_emit(out, to, size);
	free(to);
	return r;
}
LEAT_STAGE(reverse)

/* A record that separators do not go with. */
int split(const void *record, size_t size, struct leat_out *out)
{
	(void)record;
	(void)size;
	return leat_emit(out, "a\nb", 3);
}
LEAT_STAGE(split)

/* Each record as often as it is long: an empty one is dropped. */
int repeat(const void *record, size_t size, struct leat_out *out)
{
	int r = 0;
	for (size_t i = 0; i < size && r == 0; i++)
		r = leat_emit(out, record, size);
	return r;
}
LEAT_STAGE(repeat)

int refuse(const void *record, size_t size, struct leat_out *out)
{
	if (size == 3)
		return leat_fail(out, "three bytes are too many");
	return leat_emit(out, record, size);
}
LEAT_STAGE(refuse)
