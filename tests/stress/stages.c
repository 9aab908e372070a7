/* SPDX-License-Identifier: Apache-2.0 */
/* alter() is the same as in stages.py. */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned lot(const unsigned char *record, size_t size)
{
	if (size == 0)
		return 0;
	return ((unsigned)size * 40503u + record[0] * 251u + record[size - 1] * 7919u) & 0xffff;
}

static int emit_changed(
    const unsigned char *record, size_t size, unsigned how, struct leat_out *out)
{
	size_t length = how == 2 ? 2 * size : size;
	unsigned char *changed = malloc(length + 1);
	if (!changed)
		return leat_fail(out, "out of memory");
	for (size_t i = 0; i < length; i++)
		changed[i] = record[how == 1 ? size - 1 - i : how == 2 ? i % size : (i + 1) % size];
	int r = leat_emit(out, changed, length);
	free(changed);
	return r;
}

/* Drops it, adds its reverse, doubles its length, or turns it by one byte. */
static int alter(const void *record, size_t size, struct leat_out *out)
{
	unsigned how = lot(record, size) % 8;
	if (size == 0)
		return leat_emit(out, "empty", 5);
	if (how == 0)
		return 0;
	int r = how == 1 ? leat_emit(out, record, size) : 0;
	return r ? r : emit_changed(record, size, how, out);
}
LEAT_STAGE(alter)

/* As it is; some after microseconds of work, few after a millisecond of sleep. */
static int lag(const void *record, size_t size, struct leat_out *out)
{
	unsigned n = lot(record, size);
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	if (n % 4096 == 5)
		nanosleep(&nap, NULL);
	if (n % 32 == 1) {
		for (volatile unsigned i = 0; i < n; i++)
			;
	}
	return leat_emit(out, record, size);
}
LEAT_STAGE(lag)

/* Puts a running number before each. Only for one worker of a serial stage. */
static int number(const void *record, size_t size, struct leat_out *out)
{
	static unsigned long long count;
	char *numbered = malloc(size + 24);
	if (!numbered)
		return leat_fail(out, "out of memory");
	int length = sprintf(numbered, "%llu:", ++count);
	memcpy(numbered + length, record, size);
	int r = leat_emit(out, numbered, (size_t)length + size);
	free(numbered);
	return r;
}
LEAT_STAGE(number)
