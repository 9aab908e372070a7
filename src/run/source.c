/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "atomic.h"
#include "budget.h"
#include "claim.h"
#include "crash.h"
#include "fd.h"
#include "frame.h"
#include "notify.h"
#include "pace.h"
#include "slot.h"
#include "thread.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The buffer at first, and what it keeps after a large record; less if memory is short. */
#define SOURCE_BUFFER	   (512u << 10)
#define SOURCE_BUFFER_KEPT (16 * SOURCE_BUFFER)

/* Bytes of input in one slot, beyond its first record, and in all slots together; likewise. */
#define SOURCE_BATCH_BYTES  (128u << 10)
#define SOURCE_WINDOW_BYTES (16u << 20)

/* How often records that wait for others are looked at. */
#define SOURCE_LOOK_MS 20

enum source_result {
	SOURCE_MORE,
	SOURCE_END,
	SOURCE_FAILED, /* said in `why` */
};

static uint64_t source_least(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

/* A quarter of what is free of charge: so a batch of numbers is, as text and as an array. */
static size_t source_batch_bytes(const struct source *source)
{
	return source_least(SOURCE_BATCH_BYTES, source->region->header->area_keep / 4);
}

/* Whether batches hold what they are told to, and wait until they do. */
static bool source_is_exact(const struct source *source)
{
	return source->region->header->batch_bytes > 0;
}

static bool source_stopping(struct source *source)
{
	/* pairs with: source_stop */
	return atomic_load_seq(&source->stop) || ring_stopped(source->region);
}

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
	if (!pace_may_fill(source->region, source->seq - source->oldest))
		return false;
	if (source->oldest == source->seq)
		return true;
	/* The oldest has its own. */
	uint64_t expected = source->expected + pace_expect(source->region, n_records, size) -
			    slot_at(source->region, source->oldest)->expected;
	/* Exact batches may be large; what there is for young ones bounds them. */
	uint64_t window = source_is_exact(source)
			      ? header->young
			      : source_least(SOURCE_WINDOW_BYTES, header->area_capacity);
	return source->held_bytes + size <= window && expected + source->capacity <= header->young;
}

static bool source_may_fill(struct source *source, uint32_t n_records, size_t size)
{
	/* First: once this slot is free, the batch that was in it is out and counted. */
	return ring_is_ready(source->region, source->seq, 0) &&
	       source_has_room(source, n_records, size) &&
	       budget_reserve(source->region, source->seq, slot_output(0), size);
}

/* Waits for a free slot and for room in the window. Returns false when stopping. */
static bool source_wait_slot(struct source *source, uint32_t n_records, size_t size)
{
	uint32_t *word = region_wait_word(source->region, GROUP_SOURCE);
	while (!source_stopping(source)) {
		uint32_t key = notify_prepare(word);
		if (source_may_fill(source, n_records, size))
			return true;
		if (source_stopping(source))
			break;
		notify_sleep(word, key);
	}
	return false;
}

/*
 * Waits until the buffer may be so large, which is when the batches before let it: the
 * last of them leaves room for one record, and there is none larger. Returns false when
 * stopping.
 */
static bool source_wait_buffer(struct source *source, size_t capacity)
{
	uint32_t *word = region_wait_word(source->region, GROUP_SOURCE);
	while (!source_stopping(source)) {
		uint32_t key = notify_prepare(word);
		if (budget_reserve_source(source->region, capacity))
			return true;
		if (source_stopping(source))
			break;
		notify_sleep(word, key);
	}
	return false;
}

/* Makes room for at least one more byte behind what is held. */
static int source_make_room(struct source *source)
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
	    source_least(source->capacity * 3 / 2, source->region->header->area_capacity);
	if (!source_wait_buffer(source, capacity))
		return -ECANCELED;
	char *larger = realloc(source->buffer, capacity);
	if (!larger)
		return -ENOMEM;
	source->buffer = larger;
	source->capacity = capacity;
	return 0;
}

static enum source_result source_refuse(char *why, size_t capacity, int code)
{
	snprintf(why, capacity, "cannot be read: %s", strerror(code));
	return SOURCE_FAILED;
}

/* Whether a batch has to wait for more. */
static bool source_lacks(const struct source *source, uint32_t n_records)
{
	const struct region_header *header = source->region->header;
	bool exact = source_is_exact(source);
	uint64_t bytes = exact ? header->batch_bytes : source_batch_bytes(source);
	uint32_t records = exact ? header->batch_exactly : pace_least_records(source->region);
	return !source->ended && n_records < records && source->end - source->start < bytes;
}

/* Reads what has arrived, waiting for it. */
static enum source_result source_read(struct source *source, char *why, size_t capacity)
{
	struct pollfd items[2] = {
	    {.fd = source->fd, .events = POLLIN},
	    {.fd = source->bell, .events = POLLIN},
	};
	int room = source_make_room(source);
	if (room < 0)
		return room == -ECANCELED ? SOURCE_END : source_refuse(why, capacity, -room);
	for (;;) {
		if (source->ended || source_stopping(source))
			return SOURCE_END;
		/* What waits for more need not do so any longer: see pace_least_records. */
		bool looks = source->waits && !source_is_exact(source);
		int r = poll(items, 2, looks ? SOURCE_LOOK_MS : -1);
		if (r == 0)
			return SOURCE_MORE;
		if (r < 0 && errno != EINTR)
			return source_refuse(why, capacity, errno);
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
			return source_refuse(why, capacity, errno);
	}
}

/* The input ended: completes a last record that lacks its separator. */
static enum source_result source_complete(struct source *source, char *why, size_t capacity)
{
	size_t held = source->end - source->start;
	enum leat_frame frame = (enum leat_frame)source->region->header->frame;
	if (held == 0)
		return SOURCE_END;
	if (frame == LEAT_U32) {
		snprintf(why, capacity, "is cut off: the input ends after %zu bytes of it", held);
		return SOURCE_FAILED;
	}
	int room = source_make_room(source);
	if (room < 0)
		return room == -ECANCELED ? SOURCE_END : source_refuse(why, capacity, -room);
	source->buffer[source->end++] = frame == LEAT_NUL ? '\0' : '\n';
	source->searched = 0;
	return SOURCE_MORE;
}

/* Whether the bytes that are new since the last look may end a record. */
static bool source_worth_a_scan(struct source *source)
{
	enum leat_frame frame = (enum leat_frame)source->region->header->frame;
	size_t held = source->end - source->start;
	if (source_is_exact(source) && source_lacks(source, 0))
		return source->region->header->batch_exactly < UINT32_MAX;
	if (frame == LEAT_U32 || source_is_exact(source) || source->waits ||
	    held > region_longest(source->region))
		return true;
	const char *fresh = source->buffer + source->start + source->searched;
	bool found = memchr(fresh, frame == LEAT_NUL ? '\0' : '\n', held - source->searched);
	source->searched = found ? 0 : held;
	return found;
}

/* As many records as the pace and a batch's size allow; one, however long, if it is whole. */
static int source_scan(struct source *source, uint32_t *ret_records, size_t *ret_size)
{
	const struct region_header *header = source->region->header;
	enum leat_frame frame = (enum leat_frame)header->frame;
	const char *data = source->buffer + source->start;
	size_t held = source->end - source->start;
	bool exact = source_is_exact(source);
	uint64_t longest = region_longest(source->region);
	size_t size = source_least(held, exact ? header->batch_bytes : source_batch_bytes(source));
	uint32_t records = exact ? header->batch_exactly : pace_records(source->region);
	int r = frame_scan(frame, data, size, longest, records, ret_records, ret_size);
	if (r == 0 && *ret_records == 0 && held > size)
		r = frame_scan(frame, data, held, longest, 1, ret_records, ret_size);
	return r;
}

static void source_say_too_long(const struct source *source, char *why, size_t capacity)
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

static int source_find(struct source *source, uint32_t *ret_records, size_t *ret_size)
{
	*ret_records = 0;
	return source_worth_a_scan(source) ? source_scan(source, ret_records, ret_size) : 0;
}

/* The input has ended. What an exact batch has waited with may be whole already. */
static enum source_result source_end(
    struct source *source, uint32_t *ret_records, size_t *ret_size, char *why, size_t capacity)
{
	enum leat_frame frame = (enum leat_frame)source->region->header->frame;
	bool whole =
	    source_find(source, ret_records, ret_size) == 0 && *ret_records > 0 &&
	    (frame == LEAT_U32 || source->buffer[source->end - 1] == frame_separator(frame));
	return whole ? SOURCE_MORE : source_complete(source, why, capacity);
}

/* Finds the next batch in what has arrived, reading more until there is one. */
static enum source_result source_batch(
    struct source *source, uint32_t *ret_records, size_t *ret_size, char *why, size_t capacity)
{
	for (;;) {
		if (source_find(source, ret_records, ret_size) < 0) {
			source_say_too_long(source, why, capacity);
			return SOURCE_FAILED;
		}
		source->waits = *ret_records > 0 && source_lacks(source, *ret_records);
		if (*ret_records > 0 && !source->waits)
			return SOURCE_MORE;
		enum source_result result = source_read(source, why, capacity);
		if (result == SOURCE_END && !source_stopping(source))
			result = source_end(source, ret_records, ret_size, why, capacity);
		if (result != SOURCE_MORE)
			return result;
	}
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
	slot->expected = pace_expect(source->region, n_records, size);
	slot_set_output(slot, slot_output(0), LEAT_RECORDS, size, n_records);
	source->held_bytes += size;
	source->expected += slot->expected;
	source->start += size;
	source->searched = 0;
	source->record += n_records;
}

/* Whether nothing is in flight, and all that has arrived is in the batch that was filled. */
static bool source_is_idle(const struct source *source)
{
	return source->oldest == source->seq && source->start == source->end;
}

/* Lets the batch go that was filled: the short way, or to whoever waits for it. */
static void source_send(struct source *source, uint32_t n_records)
{
	bool alone =
	    source_is_idle(source) && shortcut_pays(source->shortcut, source->region, n_records);
	uint64_t seq = source->seq++;
	if (alone)
		shortcut_take(source->shortcut, source->region, seq);
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

static size_t source_first_capacity(const struct region *region)
{
	return source_least(SOURCE_BUFFER, region->header->memory / 16);
}

/* After a large record, small ones do not need its buffer. */
static void source_shrink(struct source *source)
{
	size_t held = source->end - source->start;
	size_t kept = source_least(SOURCE_BUFFER_KEPT, source->region->header->memory / 16);
	size_t least = source_first_capacity(source->region);
	if (source->capacity <= kept || held > least)
		return;
	memmove(source->buffer, source->buffer + source->start, held);
	char *smaller = realloc(source->buffer, least);
	if (smaller) {
		source->buffer = smaller;
		source->capacity = least;
		(void)budget_reserve_source(source->region, least);
	}
	source->start = 0;
	source->end = held;
}

static void *source_run(void *argument)
{
	struct source *source = argument;
	char why[256] = "";
	enum source_result result = SOURCE_MORE;
	void *stack = crash_thread_begin();
	while (result == SOURCE_MORE) {
		uint32_t n_records = 0;
		size_t size = 0;
		result = source_batch(source, &n_records, &size, why, sizeof(why));
		if (result != SOURCE_MORE)
			break;
		if (!source_wait_slot(source, n_records, size))
			break;
		source_fill(source, n_records, size);
		source_send(source, n_records);
		source_shrink(source);
	}
	if (result == SOURCE_FAILED)
		source_fail(source, why);
	ring_end(source->region, source->seq);
	crash_thread_end(stack);
	return NULL;
}

int source_start(struct source *source, const struct region *region, int fd, const char *name,
    struct shortcut *shortcut)
{
	*source = (struct source){
	    .region = region,
	    .fd = fd,
	    .name = name,
	    .shortcut = shortcut,
	    .capacity = source_first_capacity(region),
	    .record = 1,
	};
	source->bell = fd_bell();
	if (source->bell < 0) {
		source->region = NULL;
		return source->bell;
	}
	source->buffer = malloc(source->capacity);
	(void)budget_reserve_source(region, source->capacity);
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
	/* pairs with: source_stopping */
	(void)atomic_exchange_seq(&source->stop, 1);
	fd_ring(source->bell);
	notify_wake(region_wait_word(source->region, GROUP_SOURCE));
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
