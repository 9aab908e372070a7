/* SPDX-License-Identifier: Apache-2.0 */
#include "source_reader.h"

#include "batch_sizing.h"
#include "frame.h"
#include "memory_budget.h"
#include "wakeup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The buffer at first, and what it keeps after a large record; less if memory is short. */
#define SOURCE_INPUT_BUFFER	 (512u << 10)
#define SOURCE_INPUT_BUFFER_KEPT (16 * SOURCE_INPUT_BUFFER)

/* Bytes of input in one slot, beyond its first record; likewise. */
#define SOURCE_INPUT_BATCH_BYTES (128u << 10)

/* How often records that wait for others are looked at. */
#define SOURCE_INPUT_LOOK_MS 20

/*
 * A quarter of what is free of charge: so a batch of numbers is, as text and as an array. Where
 * a stage waits for more than fits into all slots by that, it is as much as may be charged.
 */
static size_t source_reader_batch_bytes(const struct source *source)
{
	const struct region_header *header = source->region->header;
	uint64_t free = header->area_keep / 4;
	uint64_t charged = in_flight_least_records(source->region) > 0 ? header->young / 16 : 0;
	return source_reader_least(SOURCE_INPUT_BATCH_BYTES, charged > free ? charged : free);
}

/*
 * Waits until the buffer may be so large, which is when the batches before let it: the
 * last of them leaves room for one record, and there is none larger. Returns false when
 * stopping.
 */
static bool source_reader_wait_buffer(struct source *source, size_t capacity)
{
	uint32_t *word = region_wait_word(source->region, GROUP_SOURCE);
	while (!source_reader_stopping(source)) {
		uint32_t key = wakeup_prepare(word);
		if (memory_budget_reserve_source(source->region, capacity)) {
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

/* Makes room for at least one more byte behind what is held. */
static int source_reader_make_room(struct source *source)
{
	size_t held = source->end - source->start;
	if (source->start > 0) {
		memmove(source->buffer, source->buffer + source->start, held);
		source->start = 0;
		source->end = held;
	}
	if (held < source->capacity)
		return 0;
	/* It never holds more than the longest record with its framing, which an area holds. */
	size_t capacity =
	    source_reader_least(source->capacity * 3 / 2, source->region->header->area_capacity);
	if (!source_reader_wait_buffer(source, capacity))
		return -ECANCELED;
	char *larger = realloc(source->buffer, capacity);
	if (!larger)
		return -ENOMEM;
	source->buffer = larger;
	source->capacity = capacity;
	return 0;
}

static enum source_result source_reader_refuse(char *why, size_t capacity, int code)
{
	snprintf(why, capacity, "cannot be read: %s", strerror(code));
	return SOURCE_FAILED;
}

/* Whether a batch has to wait for more. */
static bool source_reader_lacks(const struct source *source, uint32_t n_records)
{
	const struct region_header *header = source->region->header;
	bool exact = source_reader_is_exact(source);
	uint64_t bytes = exact ? header->batch_bytes : source_reader_batch_bytes(source);
	/* While there are slots, what comes slowly need not wait: somebody may answer it. */
	bool scarce = source->seq - source->oldest >= header->n_slots / 8;
	uint32_t records = exact    ? header->batch_exactly
			   : scarce ? in_flight_least_records(source->region)
				    : 0;
	return !source->ended && n_records < records && source->end - source->start < bytes;
}

/* Reads what has arrived, waiting for it. */
static enum source_result source_reader_read(struct source *source, char *why, size_t capacity)
{
	struct pollfd items[2] = {
	    {.fd = source->fd, .events = POLLIN},
	    {.fd = source->bell, .events = POLLIN},
	};
	int room = source_reader_make_room(source);
	if (room < 0)
		return room == -ECANCELED ? SOURCE_END : source_reader_refuse(why, capacity, -room);
	for (;;) {
		if (source->ended || source_reader_stopping(source))
			return SOURCE_END;
		/* What waits for more need not do so any longer: see in_flight_least_records. */
		bool looks = source->waits && !source_reader_is_exact(source);
		int r = poll(items, 2, looks ? SOURCE_INPUT_LOOK_MS : -1);
		if (r == 0)
			return SOURCE_MORE;
		if (r < 0 && errno != EINTR)
			return source_reader_refuse(why, capacity, errno);
		if (r < 0 || items[1].revents)
			continue;
		ssize_t n =
		    read(source->fd, source->buffer + source->end, source->capacity - source->end);
		if (n > 0)
			source->end += (size_t)n;
		source->ended = n == 0;
		if (n >= 0)
			return n > 0 ? SOURCE_MORE : SOURCE_END;
		if (errno != EINTR && errno != EAGAIN)
			return source_reader_refuse(why, capacity, errno);
	}
}

/* The input ended: completes a last record that lacks its separator. */
static enum source_result source_reader_complete(struct source *source, char *why, size_t capacity)
{
	size_t held = source->end - source->start;
	enum leat_frame frame = (enum leat_frame)source->region->header->frame;
	if (held == 0)
		return SOURCE_END;
	if (frame == LEAT_U32) {
		snprintf(why, capacity, "is cut off: the input ends after %zu bytes of it", held);
		return SOURCE_FAILED;
	}
	int room = source_reader_make_room(source);
	if (room < 0)
		return room == -ECANCELED ? SOURCE_END : source_reader_refuse(why, capacity, -room);
	source->buffer[source->end++] = frame_separator(frame);
	source->searched = 0;
	return SOURCE_MORE;
}

/* Whether the bytes that are new since the last look may end a record. */
static bool source_reader_worth_a_scan(struct source *source)
{
	enum leat_frame frame = (enum leat_frame)source->region->header->frame;
	size_t held = source->end - source->start;
	if (source_reader_is_exact(source) && source_reader_lacks(source, 0))
		return source->region->header->batch_exactly < UINT32_MAX;
	if (frame == LEAT_U32 || source_reader_is_exact(source) || source->waits ||
	    held > region_longest(source->region))
		return true;
	const char *fresh = source->buffer + source->start + source->searched;
	bool found = memchr(fresh, frame_separator(frame), held - source->searched);
	source->searched = found ? 0 : held;
	return found;
}

/* As many records as the pace and a batch's size allow; one, however long, if it is whole. */
static int source_reader_scan(struct source *source, uint32_t *ret_records, size_t *ret_size)
{
	const struct region_header *header = source->region->header;
	enum leat_frame frame = (enum leat_frame)header->frame;
	const char *data = source->buffer + source->start;
	size_t held = source->end - source->start;
	bool exact = source_reader_is_exact(source);
	uint64_t longest = region_longest(source->region);
	size_t size = source_reader_least(
	    held, exact ? header->batch_bytes : source_reader_batch_bytes(source));
	uint32_t records = exact ? header->batch_exactly : batch_sizing_records(source->region);
	int r = frame_scan(frame, data, size, longest, records, ret_records, ret_size);
	if (r == 0 && *ret_records == 0 && held > size)
		r = frame_scan(frame, data, held, longest, 1, ret_records, ret_size);
	return r;
}

static void source_reader_say_too_long(const struct source *source, char *why, size_t capacity)
{
	const struct region_header *header = source->region->header;
	uint64_t longest = region_longest(source->region);
	if (longest == header->max_record)
		snprintf(why, capacity,
		    "is longer than the limit of %llu bytes; raise --max-record",
		    (unsigned long long)longest);
	else
		snprintf(why, capacity,
		    "is longer than the %llu bytes that fit into memory; raise --memory",
		    (unsigned long long)longest);
}

static int source_reader_find(struct source *source, uint32_t *ret_records, size_t *ret_size)
{
	*ret_records = 0;
	return source_reader_worth_a_scan(source)
		   ? source_reader_scan(source, ret_records, ret_size)
		   : 0;
}

/* The input has ended. What an exact batch has waited with may be whole already. */
static enum source_result source_reader_end(
    struct source *source, uint32_t *ret_records, size_t *ret_size, char *why, size_t capacity)
{
	enum leat_frame frame = (enum leat_frame)source->region->header->frame;
	bool whole =
	    source_reader_find(source, ret_records, ret_size) == 0 && *ret_records > 0 &&
	    (frame == LEAT_U32 || source->buffer[source->end - 1] == frame_separator(frame));
	return whole ? SOURCE_MORE : source_reader_complete(source, why, capacity);
}

enum source_result source_reader_next(
    struct source *source, uint32_t *ret_records, size_t *ret_size, char *why, size_t capacity)
{
	for (;;) {
		if (source_reader_find(source, ret_records, ret_size) < 0) {
			source_reader_say_too_long(source, why, capacity);
			return SOURCE_FAILED;
		}
		source->waits = *ret_records > 0 && source_reader_lacks(source, *ret_records);
		if (*ret_records > 0 && !source->waits)
			return SOURCE_MORE;
		enum source_result result = source_reader_read(source, why, capacity);
		if (result == SOURCE_END && !source_reader_stopping(source))
			result = source_reader_end(source, ret_records, ret_size, why, capacity);
		if (result != SOURCE_MORE)
			return result;
	}
}

size_t source_reader_first_capacity(const struct region *region)
{
	return source_reader_least(SOURCE_INPUT_BUFFER, region->header->memory / 16);
}

void source_reader_shrink(struct source *source)
{
	size_t held = source->end - source->start;
	size_t kept =
	    source_reader_least(SOURCE_INPUT_BUFFER_KEPT, source->region->header->memory / 16);
	size_t least = source_reader_first_capacity(source->region);
	if (source->capacity <= kept || held > least)
		return;
	memmove(source->buffer, source->buffer + source->start, held);
	char *smaller = realloc(source->buffer, least);
	if (smaller) {
		source->buffer = smaller;
		source->capacity = least;
		(void)memory_budget_reserve_source(source->region, least);
	}
	source->start = 0;
	source->end = held;
}
