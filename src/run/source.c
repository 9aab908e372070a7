/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "atomic.h"
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

#define SOURCE_BUFFER (512u << 10)

/* Bytes of input in one slot, beyond its first record, and in all slots together. */
#define SOURCE_BATCH_BYTES  (128u << 10)
#define SOURCE_WINDOW_BYTES (16u << 20)

enum source_result {
	SOURCE_MORE,
	SOURCE_END,
	SOURCE_FAILED, /* said in `why` */
};

static bool source_stopping(struct source *source)
{
	/* pairs with: source_stop */
	return atomic_load_seq(&source->stop) || ring_stopped(source->region);
}

/* The bytes of the batches that the sink has not retired yet. */
static uint64_t source_held_bytes(struct source *source)
{
	const struct region *region = source->region;
	while (source->oldest < source->seq &&
	       ring_passed(region, source->oldest, region_sink(region))) {
		source->held_bytes -= slot_at(region, source->oldest)->source_bytes;
		source->oldest++;
	}
	return source->held_bytes;
}

static bool source_may_fill(struct source *source, size_t size)
{
	/* First: once this slot is free, the batch that was in it is out and counted. */
	if (!ring_is_ready(source->region, source->seq, 0))
		return false;
	uint64_t held = source_held_bytes(source);
	return held == 0 || held + size <= SOURCE_WINDOW_BYTES;
}

/* Waits for a free slot and for room in the window. Returns false when stopping. */
static bool source_wait_slot(struct source *source, size_t size)
{
	uint32_t *word = region_wait_word(source->region, GROUP_SOURCE);
	while (!source_stopping(source)) {
		uint32_t key = notify_prepare(word);
		if (source_may_fill(source, size))
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
	char *larger = realloc(source->buffer, source->capacity * 2);
	if (!larger)
		return -ENOMEM;
	source->buffer = larger;
	source->capacity *= 2;
	return 0;
}

static enum source_result source_refuse(char *why, size_t capacity, int code)
{
	snprintf(why, capacity, "cannot be read: %s", strerror(code));
	return SOURCE_FAILED;
}

/* Reads what has arrived, waiting for it. */
static enum source_result source_read(struct source *source, char *why, size_t capacity)
{
	struct pollfd items[2] = {
	    {.fd = source->fd, .events = POLLIN},
	    {.fd = source->bell, .events = POLLIN},
	};
	if (source_make_room(source) < 0)
		return source_refuse(why, capacity, ENOMEM);
	for (;;) {
		if (source->ended || source_stopping(source))
			return SOURCE_END;
		int r = poll(items, 2, -1);
		if (r < 0 && errno != EINTR)
			return source_refuse(why, capacity, errno);
		if (r <= 0 || items[1].revents)
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
	if (source_make_room(source) < 0)
		return source_refuse(why, capacity, ENOMEM);
	source->buffer[source->end++] = frame == LEAT_NUL ? '\0' : '\n';
	source->searched = 0;
	return SOURCE_MORE;
}

/* Whether the bytes that are new since the last look may end a record. */
static bool source_worth_a_scan(struct source *source)
{
	enum leat_frame frame = (enum leat_frame)source->region->header->frame;
	size_t held = source->end - source->start;
	if (frame == LEAT_U32 || held > source->region->header->max_record)
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
	size_t size = held < SOURCE_BATCH_BYTES ? held : SOURCE_BATCH_BYTES;
	int r = frame_scan(frame, data, size, header->max_record, pace_records(source->region),
	    ret_records, ret_size);
	if (r == 0 && *ret_records == 0 && held > size)
		r = frame_scan(frame, data, held, header->max_record, 1, ret_records, ret_size);
	return r;
}

/* Finds the next batch in what has arrived, reading more until there is a record. */
static enum source_result source_batch(
    struct source *source, uint32_t *ret_records, size_t *ret_size, char *why, size_t capacity)
{
	const struct region_header *header = source->region->header;
	for (;;) {
		*ret_records = 0;
		int r =
		    source_worth_a_scan(source) ? source_scan(source, ret_records, ret_size) : 0;
		if (r < 0) {
			snprintf(why, capacity,
			    "is longer than the limit of %llu bytes; raise --max-record",
			    (unsigned long long)header->max_record);
			return SOURCE_FAILED;
		}
		if (*ret_records > 0)
			return SOURCE_MORE;
		enum source_result result = source_read(source, why, capacity);
		if (result == SOURCE_END && !source_stopping(source))
			result = source_complete(source, why, capacity);
		if (result != SOURCE_MORE)
			return result;
	}
}

static struct slot *source_slot(struct source *source)
{
	struct slot *slot = slot_at(source->region, source->seq);
	slot->first_record = source->record;
	slot->source_bytes = 0;
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
	slot_set_output(slot, slot_output(0), LEAT_RECORDS, size, n_records);
	source->held_bytes += size;
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
	if (!source_wait_slot(source, 0))
		return;
	struct slot *slot = source_slot(source);
	slot->n_source_records = 1;
	slot_set_output(slot, slot_output(0), LEAT_RECORDS, 0, 0);
	slot_fail_source(slot, why);
	ring_advance(source->region, source->seq++, 0);
}

/* After a large record, small ones do not need its buffer. */
static void source_shrink(struct source *source)
{
	size_t held = source->end - source->start;
	if (source->capacity <= 16 * SOURCE_BUFFER || held > SOURCE_BUFFER)
		return;
	memmove(source->buffer, source->buffer + source->start, held);
	char *smaller = realloc(source->buffer, SOURCE_BUFFER);
	if (smaller) {
		source->buffer = smaller;
		source->capacity = SOURCE_BUFFER;
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
		if (!source_wait_slot(source, size))
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
	    .capacity = SOURCE_BUFFER,
	    .record = 1,
	};
	source->bell = fd_bell();
	if (source->bell < 0) {
		source->region = NULL;
		return source->bell;
	}
	source->buffer = malloc(source->capacity);
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
