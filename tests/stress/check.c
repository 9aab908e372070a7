/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "claim.h"
#include "content.h"
#include "slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool check_is_serial(const struct round *round, unsigned position)
{
	return position == 0 || position == region_sink(&round->region) ||
	       !round->stateless[position - 1];
}

/* Whether a worker that was killed may have come as far with this batch. */
static bool check_is_repeated(const struct round *round, unsigned position, uint64_t seq)
{
	bool is_stage = position > 0 && position < region_sink(&round->region);
	return round->kill_us > 0 && is_stage &&
	       slot_at(&round->region, seq)->history[position - 1].attempts > 1;
}

void check_once(struct round *round, unsigned position, uint64_t seq)
{
	bool repeated = check_is_repeated(round, position, seq);
	uint64_t *lap = &round->shared->laps[position][seq % round->n_slots];
	uint64_t *next = &round->shared->next[position];
	uint64_t wanted = seq / round->n_slots;
	if (*lap != wanted && !(repeated && *lap == wanted + 1))
		round_fail(round, "position %u: got batch %llu in lap %llu", position,
		    (unsigned long long)seq, (unsigned long long)*lap);
	*lap = wanted + 1;
	if (!check_is_serial(round, position))
		return;
	if (*next != seq && !(repeated && *next == seq + 1))
		round_fail(round, "position %u: got batch %llu instead of %llu", position,
		    (unsigned long long)seq, (unsigned long long)*next);
	*next = seq + 1;
}

void check_enter(struct round *round, unsigned position, unsigned worker)
{
	uint32_t *holder = &round->shared->holder[position];
	if (!check_is_serial(round, position))
		return;
	if (*holder != 0)
		round_fail(round, "position %u: worker %u enters beside %u", position, worker,
		    *holder - 1);
	*holder = worker + 1;
}

void check_leave(struct round *round, unsigned position)
{
	if (check_is_serial(round, position))
		round->shared->holder[position] = 0;
}

void check_killed(struct round *round, unsigned worker)
{
	for (unsigned i = 0; i < region_sink(&round->region); i++) {
		if (round->shared->holder[i] == worker + 1)
			round->shared->holder[i] = 0;
	}
}

void check_held(struct round *round, unsigned position, uint64_t seq, unsigned worker)
{
	const struct slot *slot = slot_at(&round->region, seq);
	uint64_t held = UINT64_MAX;
	unsigned at = 0;
	if (!ring_held(&round->region, worker, &held, &at) || held != seq || at != position)
		round_fail(round, "worker %u holds batch %llu, not %llu", worker,
		    (unsigned long long)held, (unsigned long long)seq);
	if (slot->first_record != seq + 1)
		round_fail(round, "position %u, batch %llu: the slot is of batch %llu", position,
		    (unsigned long long)seq, (unsigned long long)slot->first_record - 1);
}

void check_content(struct round *round, uint64_t seq)
{
	const struct region *region = &round->region;
	const struct slot *slot = slot_at(region, seq);
	unsigned area = slot_input(region_sink(region));
	char *expected = malloc(2 * CONTENT_MAX);
	char *between = malloc(2 * CONTENT_MAX);
	if (!expected || !between)
		round_fail(round, "out of memory");
	size_t size = content_make(round->seed, round->size_bits, seq, expected);
	for (unsigned position = 1; position < region_sink(region); position++) {
		size = content_change(position, expected, size, between);
		memcpy(expected, between, size);
		uint32_t attempts = slot->history[position - 1].attempts;
		if (attempts == 0 || (attempts > 1 && !round->deaths && !round->kill_us))
			round_fail(round, "position %u, batch %llu: %u attempts", position,
			    (unsigned long long)seq, attempts);
	}
	if (slot->size[area] != size || memcmp(slot_area(region, seq, area), expected, size) != 0)
		round_fail(round, "batch %llu: wrong content, %zu bytes expected, %llu there",
		    (unsigned long long)seq, size, (unsigned long long)slot->size[area]);
	free(expected);
	free(between);
}

void check_memory(struct round *round)
{
	const struct region_header *header = round->region.header;
	struct stat info;
	if (fstat(round->region.fd, &info) < 0)
		round_fail(round, "fstat: %s", strerror(errno));
	/* The tables before the areas are beside it. */
	uint64_t taken = (uint64_t)info.st_blocks * 512;
	if (taken > header->memory + header->areas_offset)
		round_fail(round, "%llu bytes are in use", (unsigned long long)taken);
}
