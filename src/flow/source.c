/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "atomic.h"
#include "batch_sizing.h"
#include "claim.h"
#include "crash_handler.h"
#include "fd.h"
#include "memory_budget.h"
#include "slot.h"
#include "source_reader.h"
#include "thread.h"
#include "wakeup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of input in all slots together; less if memory is short. */
#define SOURCE_WINDOW_BYTES (16u << 20)

/* Counts out the batches that the sink has retired. */
static void source_count_out(struct source *source)
{
	const struct region *region = source->region;
	while (source->oldest < source->seq &&
	       ring_passed(region, source->oldest, region_sink(region))) {
		source->held_bytes -= slot_at(region, source->oldest)->source_bytes;
		source->expected -= slot_at(region, source->oldest)->expected;
		source->oldest++;
	}
}

/*
 * Whether there is room for the batch and for what the stages may make of it. Where that
 * is guessed wrong it costs time: the stages' workers charge what they really need.
 */
static bool source_has_room(struct source *source, uint32_t n_records, size_t size)
{
	const struct region_header *header = source->region->header;
	source_count_out(source);
	if (!in_flight_may_fill(source->region, source->seq - source->oldest))
		return false;
	if (source->oldest == source->seq)
		return true;
	/* The oldest has its own. */
	uint64_t expected = source->expected +
			    batch_sizing_expected_bytes(source->region, n_records, size) -
			    slot_at(source->region, source->oldest)->expected;
	/* Exact batches may be large; what there is for young ones bounds them. */
	uint64_t window = source_reader_is_exact(source)
			      ? header->young
			      : source_reader_least(SOURCE_WINDOW_BYTES, header->area_capacity);
	return source->held_bytes + size <= window && expected + source->capacity <= header->young;
}

static bool source_may_fill(struct source *source, uint32_t n_records, size_t size)
{
	/* First: once this slot is free, the batch that was in it is out and counted. */
	return ring_is_ready(source->region, source->seq, 0) &&
	       source_has_room(source, n_records, size) &&
	       memory_budget_reserve(source->region, source->seq, slot_output(0), size);
}

/* Waits for a free slot and for room in the window. Returns false when stopping. */
static bool source_wait_slot(struct source *source, uint32_t n_records, size_t size)
{
	uint32_t *word = region_wait_word(source->region, GROUP_SOURCE);
	while (!source_reader_stopping(source)) {
		uint32_t key = wakeup_prepare(word);
		if (source_may_fill(source, n_records, size)) {
			in_flight_set_source_blocked(source->region, false);
			return true;
		}
		if (source_reader_stopping(source))
			break;
		in_flight_set_source_blocked(source->region, true);
		wakeup_sleep(word, key);
	}
	return false;
}

static struct slot *source_slot(struct source *source)
{
	struct slot *slot = slot_at(source->region, source->seq);
	slot->first_record = source->record;
	slot->source_bytes = 0;
	slot->expected = 0;
	slot->size[slot_input(0)] = 0; /* left by the batch before */
	slot->peak = 0;
	slot_clear_failure(slot);
	for (unsigned i = 0; i < source->region->header->n_stages; i++)
		slot_forget_tries(&slot->history[i]);
	return slot;
}

static void source_fill(struct source *source, uint32_t n_records, size_t size)
{
	struct slot *slot = source_slot(source);
	memcpy(slot_area(source->region, source->seq, slot_output(0)),
	    source->buffer + source->start, size);
	slot->n_source_records = n_records;
	slot->source_bytes = size;
	slot->expected = batch_sizing_expected_bytes(source->region, n_records, size);
	slot_set_output(slot, slot_output(0), LEAT_RECORDS, size, n_records);
	source->held_bytes += size;
	source->expected += slot->expected;
	source->start += size;
	source->searched = 0;
	source->record += n_records;
}

/*
 * Whether the batch that was filled may take the fast path. One before it that is only being
 * written is as good as out: who has read the answer sends the next line at once, and
 * would else keep the long way for ever.
 */
static bool source_may_carry(struct source *source, uint32_t n_records)
{
	const struct region *region = source->region;
	if (source->start != source->end ||
	    !fast_path_is_faster(source->shortcut, region, n_records))
		return false;
	if (source->seq - source->oldest == 1 &&
	    ring_passed(region, source->oldest, region_sink(region) - 1)) {
		fast_path_wait(source->shortcut);
		source_count_out(source);
	}
	return source->oldest == source->seq;
}

/* Passes the filled batch on: by the fast path, or to whoever waits for it. */
static void source_send(struct source *source, uint32_t n_records)
{
	bool alone = source_may_carry(source, n_records);
	uint64_t seq = source->seq++;
	if (alone)
		fast_path_carry(source->shortcut, source->region, seq);
	else
		ring_advance(source->region, seq, 0);
}

/* A failure of the input takes its place in the order, like a record. */
static void source_fail(struct source *source, const char *why)
{
	if (!source_wait_slot(source, 0, 0))
		return;
	struct slot *slot = source_slot(source);
	slot->n_source_records = 1;
	slot_set_output(slot, slot_output(0), LEAT_RECORDS, 0, 0);
	slot_fail_source(slot, why);
	ring_advance(source->region, source->seq++, 0);
}

static void *source_run(void *argument)
{
	struct source *source = argument;
	char why[256] = "";
	enum source_result result = SOURCE_MORE;
	void *stack = crash_handler_thread_begin();
	while (result == SOURCE_MORE) {
		uint32_t n_records = 0;
		size_t size = 0;
		result = source_reader_next(source, &n_records, &size, why, sizeof(why));
		if (result != SOURCE_MORE)
			break;
		if (!source_wait_slot(source, n_records, size))
			break;
		source_fill(source, n_records, size);
		source_send(source, n_records);
		source_reader_shrink(source);
	}
	if (result == SOURCE_FAILED)
		source_fail(source, why);
	ring_end(source->region, source->seq);
	crash_handler_thread_end(stack);
	return NULL;
}

int source_start(
    struct source *source, const struct region *region, int fd, struct fast_path *shortcut)
{
	*source = (struct source){
	    .region = region,
	    .fd = fd,
	    .shortcut = shortcut,
	    .capacity = source_reader_first_capacity(region),
	    .record = 1,
	};
	source->bell = fd_bell();
	if (source->bell < 0) {
		source->region = NULL;
		return source->bell;
	}
	source->buffer = malloc(source->capacity);
	(void)memory_budget_reserve_source(region, source->capacity);
	int r = source->buffer ? pthread_create(&source->thread, NULL, source_run, source) : ENOMEM;
	if (r != 0) {
		fd_close(source->bell);
		free(source->buffer);
		source->region = NULL;
	}
	return -r;
}

void source_stop(struct source *source)
{
	if (!source->region)
		return;
	/* pairs with: source_reader_stopping */
	(void)atomic_exchange_seq(&source->stop, 1);
	fd_ring(source->bell);
	wakeup_wake(region_wait_word(source->region, GROUP_SOURCE));
}

int source_finish(struct source *source)
{
	if (!source->region)
		return 0;
	source_stop(source);
	int r = thread_join(source->thread);
	if (r < 0)
		return r;
	fd_close(source->bell);
	free(source->buffer);
	source->region = NULL;
	return 0;
}
