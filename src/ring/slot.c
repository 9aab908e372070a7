/* SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

#include "atomic.h"
#include "frame.h"
#include "quote.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static_assert(offsetof(struct slot, history) % 8 == 0, "histories hold 64-bit words");
static_assert(sizeof(((struct slot_failure *)0)->record) >= QUOTE_RECORD_MAX, "quote_record");

static uint64_t slot_area_offset(const struct region *region, uint64_t seq, unsigned area)
{
	const struct region_header *header = region->header;
	return header->areas_offset + (2 * slot_index(region, seq) + area) * header->area_capacity;
}

char *slot_area(const struct region *region, uint64_t seq, unsigned area)
{
	return (char *)region->header + slot_area_offset(region, seq, area);
}

void slot_set_output(
    struct slot *slot, unsigned area, enum leat_kind kind, uint64_t size, uint32_t n_records)
{
	slot->kind[area] = kind;
	slot->size[area] = size;
	slot->n_records[area] = n_records;
	/* relaxed: who looks at it has not claimed the slot, and only waits the longer */
	if (atomic_load_relaxed(&slot->waits_for_oldest))
		atomic_store_relaxed(&slot->waits_for_oldest, 0);
	if (slot->size[0] + slot->size[1] > slot->peak)
		slot->peak = slot->size[0] + slot->size[1];
	/* relaxed: what is charged is there already, see memory_budget_reserve */
	if (size > atomic_load_relaxed(&slot->high[area]))
		atomic_store_relaxed(&slot->high[area], size);
}

/* A number from shared memory, where a stage may have written what it liked. */
static uint64_t slot_bounded(const struct region *region, uint64_t size)
{
	uint64_t capacity = region->header->area_capacity;
	return size < capacity ? size : capacity;
}

struct batch slot_batch(const struct region *region, uint64_t seq, unsigned area)
{
	const struct slot *slot = slot_at(region, seq);
	struct batch batch = {
	    .kind = (enum leat_kind)slot->kind[area],
	    .n_records = slot->n_records[area],
	    .data = slot_area(region, seq, area),
	    .size = slot_bounded(region, slot->size[area]),
	};
	/* Of records, each reader checks how far they go. */
	uint64_t fit = batch.size / sizeof(int64_t);
	if (batch.kind != LEAT_RECORDS && batch.n_records > fit)
		batch.n_records = (uint32_t)fit;
	return batch;
}

static void slot_fail(struct slot *slot, uint32_t stage, uint32_t index, const char *why)
{
	slot->failure.stage = stage;
	slot->failure.index = index;
	slot->failure.record[0] = '\0';
	slot->failure.words[0] = '\0';
	if (snprintf(slot->failure.why, sizeof(slot->failure.why), "%s", why) >=
	    (int)sizeof(slot->failure.why))
		quote_trim(slot->failure.why);
}

void slot_cut(
    const struct region *region, uint64_t seq, unsigned position, uint32_t index, const char *why)
{
	struct slot *slot = slot_at(region, seq);
	struct batch batch = slot_batch(region, seq, slot_input(position));
	char number[BATCH_NUMBER_MAX];
	const char *record;
	size_t size;
	slot_fail(slot, position - 1, index, why);
	if (batch_record(
		&batch, (enum leat_frame)region->header->frame, index, number, &record, &size))
		quote_record(slot->failure.record, record, size);
}

void slot_shorten_input(const struct region *region, uint64_t seq, unsigned position, uint32_t n)
{
	struct slot *slot = slot_at(region, seq);
	unsigned input = slot_input(position);
	struct batch batch = slot_batch(region, seq, input);
	if (n >= batch.n_records)
		return;
	slot->n_records[input] = n;
	slot->size[input] = batch_size(&batch, (enum leat_frame)region->header->frame, n);
}

void slot_fail_source(struct slot *slot, const char *why)
{
	slot_fail(slot, SLOT_SOURCE_FAILED, 0, why);
}

void slot_set_last_stderr(struct slot *slot, const char *words)
{
	snprintf(slot->failure.words, sizeof(slot->failure.words), "%s", words);
}

void slot_forget_tries(struct slot_history *history)
{
	history->attempts = 0;
	history->lost = 0;
	history->crashes = history->kills = (struct slot_deaths){0};
}

bool slot_is_exact(const struct slot *slot, uint32_t stage)
{
	/* A failing stage before this one has cut the batch: the rest matches. */
	for (uint32_t i = 0; i < stage; i++) {
		if (slot->history[i].records_in != slot->history[i].records_out)
			return false;
	}
	return true;
}

void slot_failed_records(const struct slot *slot, uint64_t *ret_first, uint64_t *ret_last)
{
	*ret_first = slot->first_record;
	*ret_last = slot->first_record + slot->n_source_records - 1;
	if (slot->failure.index == SLOT_NO_INDEX || !slot_is_exact(slot, slot->failure.stage))
		return;
	*ret_first += slot->failure.index;
	*ret_last = *ret_first;
}

void slot_describe_failure(
    const struct region *region, const struct slot *slot, char *text, size_t capacity)
{
	const struct slot_failure *failed = &slot->failure;
	char place[80];
	uint64_t first;
	uint64_t last;
	if (failed->stage >= region->header->n_stages) {
		snprintf(text, capacity, "a stage has written over the ring's own memory");
		return;
	}
	slot_failed_records(slot, &first, &last);
	if (first == last)
		snprintf(place, sizeof(place), "record %llu", (unsigned long long)first);
	else
		snprintf(place, sizeof(place), "one of records %llu to %llu",
		    (unsigned long long)first, (unsigned long long)last);
	if (snprintf(text, capacity, "stage '%s': %.*s, %s%s%.*s%s%.*s",
		region_stage(region, failed->stage)->name, (int)sizeof(failed->why), failed->why,
		place, failed->record[0] ? ": " : "", (int)sizeof(failed->record), failed->record,
		failed->words[0] ? SLOT_LAST_STDERR : "", (int)sizeof(failed->words),
		failed->words) >= (int)capacity)
		quote_trim(text);
}

void slot_give_back(const struct region *region, uint64_t seq, unsigned area)
{
	struct slot *slot = slot_at(region, seq);
	off_t offset = (off_t)slot_area_offset(region, seq, area);
	/* relaxed: only the holder of the slot writes it */
	off_t size = (off_t)slot_bounded(region, atomic_load_relaxed(&slot->high[area]));
	int r = 0;
	/* Other failures only mean that the memory stays. */
	while (size > 0 &&
	       (r = fallocate(
		    region->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size)) < 0 &&
	       errno == EINTR)
		;
	/* pairs with: memory_budget_sum: what it no longer counts is not there any more */
	if (r == 0)
		(void)atomic_exchange_seq(&slot->high[area], 0);
}

void slot_trim(const struct region *region, uint64_t seq)
{
	for (unsigned area = 0; area < 2; area++) {
		/* relaxed: as above */
		if (atomic_load_relaxed(&slot_at(region, seq)->high[area]) >
		    region->header->area_keep)
			slot_give_back(region, seq, area);
	}
}
