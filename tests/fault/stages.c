/* SPDX-License-Identifier: Apache-2.0 */
#include <leat.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t mul(int64_t n)
{
	return n * 3;
}
LEAT_STAGE(mul)

static int64_t same(int64_t n)
{
	return n;
}
LEAT_STAGE(same)

/* Busy for some microseconds, rarely asleep for a millisecond, as the record says. */
static int64_t toil(int64_t n)
{
	uint64_t lot = (uint64_t)n * 0x9e3779b97f4a7c15 >> 44;
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	struct timespec now;
	if (lot % 512 == 0)
		nanosleep(&nap, NULL);
	if (lot % 4 != 0)
		return n;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t until = now.tv_nsec + (int64_t)(lot / 4 % 40 * 1000);
	for (time_t began = now.tv_sec; now.tv_sec == began && now.tv_nsec < until;)
		clock_gettime(CLOCK_MONOTONIC, &now);
	return n;
}
LEAT_STAGE(toil)

/* None for every seventh, two for every eleventh. */
static int vary(const void *record, size_t size, struct leat_out *out)
{
	char text[32] = "";
	memcpy(text, record, size < sizeof(text) ? size : sizeof(text) - 1);
	long long n = atoll(text);
	int r = n % 7 == 0 ? 0 : leat_emit(out, record, size);
	return r == 0 && n % 11 == 0 ? leat_emit(out, record, size) : r;
}
LEAT_STAGE(vary)
