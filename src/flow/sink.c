/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include "atomic.h"
#include "claim.h"
#include "failure.h"
#include "fd.h"
#include "memory_budget.h"
#include "slot.h"
#include "thread.h"
#include "wakeup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Batches written by one system call at the most. */
#define SINK_GATHER 64u

static bool sink_at_end(const struct sink *sink)
{
	return sink->seq >= ring_end_seq(sink->region) || ring_stopped(sink->region);
}

/*
 * The batches to write next: in order the consecutive ones that are ready, else any of
 * the window. A failing one is the last, and waits until all before it are out.
 */
static unsigned sink_gather(struct sink *sink, uint64_t *seqs)
{
	const struct region *region = sink->region;
	unsigned position = region_sink(region);
	unsigned n = 0;
	for (unsigned i = 0; i < SINK_GATHER && i < region->header->n_slots; i++) {
		uint64_t seq = sink->seq + i;
		bool ready = ring_is_ready(region, seq, position);
		bool failed = ready && slot_failed(slot_at(region, seq));
		if (ready && !(failed && n < i))
			seqs[n++] = seq;
		else if (!sink->unordered)
			break;
		if (failed)
			break;
	}
	return n;
}

static void sink_say_failure(struct sink *sink, const struct slot *slot)
{
	char text[sizeof(sink->error.text)];
	if (slot->failure.stage == SLOT_SOURCE_FAILED) {
		failure(&sink->error, LEAT_STOPPED, 0, "%s: record %llu %.*s", sink->source_name,
		    (unsigned long long)slot->first_record, (int)sizeof(slot->failure.why),
		    slot->failure.why);
		return;
	}
	slot_describe_failure(sink->region, slot, text, sizeof(text));
	failure(&sink->error, LEAT_STOPPED, 0, "%s", text);
}

void sink_describe_reader_gone(const struct sink *sink, struct leat_error *reterr)
{
	failure(reterr, LEAT_READER_GONE, 0,
	    "%s: the reader closed it after %llu record%s (%llu bytes)", sink->name,
	    (unsigned long long)sink->n_records, sink->n_records == 1 ? "" : "s",
	    (unsigned long long)sink->n_bytes);
}

static void sink_say_write(struct sink *sink, int code)
{
	if (code == -EPIPE)
		sink_describe_reader_gone(sink, &sink->error);
	else
		failure(&sink->error, LEAT_STOPPED, 0, "%s: %s, after %llu record%s (%llu bytes)",
		    sink->name, strerror(-code), (unsigned long long)sink->n_records,
		    sink->n_records == 1 ? "" : "s", (unsigned long long)sink->n_bytes);
}

/* Past a batch that goes out, and those behind it that have gone before. */
static void sink_move_on(struct sink *sink, uint64_t seq)
{
	const struct region *region = sink->region;
	if (seq != sink->seq)
		return;
	do {
		sink->seq++;
	} while (ring_passed(region, sink->seq, region_sink(region)));
	memory_budget_move_on(region, sink->seq);
}

/* Returns false when this batch was the last to go out. */
static bool sink_retire(struct sink *sink, uint64_t seq)
{
	const struct region *region = sink->region;
	const struct slot *slot = slot_at(region, seq);
	unsigned area = slot_input(region_sink(region));
	bool failed = slot_failed(slot);
	sink->n_records += slot->n_records[area];
	sink->n_bytes += slot->size[area];
	for (unsigned i = 0; i < sink->n_observers; i++)
		sink->observers[i].retire(sink->observers[i].context, region, slot);
	if (failed)
		sink_say_failure(sink, slot);
	else
		sink->n_source_records += slot->n_source_records;
	slot_trim(region, seq);
	sink_move_on(sink, seq);
	ring_retire(region, seq);
	return !failed;
}

static int sink_write(const struct sink *sink, const uint64_t *seqs, unsigned n)
{
	unsigned area = slot_input(region_sink(sink->region));
	struct iovec vector[SINK_GATHER];
	int n_vector = 0;
	for (unsigned i = 0; i < n; i++) {
		struct batch batch = slot_batch(sink->region, seqs[i], area);
		if (batch.size > 0)
			vector[n_vector++] = (struct iovec){(void *)batch.data, batch.size};
	}
	return fd_write_vector(sink->fd, vector, n_vector);
}

enum sink_result {
	SINK_IDLE, /* nothing is ready */
	SINK_MORE, /* something was; there may be more */
	SINK_END,
};

/* Writes and retires what is ready. The caller has the lock. */
static enum sink_result sink_write_ready(struct sink *sink)
{
	uint64_t seqs[SINK_GATHER];
	unsigned n = sink_gather(sink, seqs);
	if (n == 0)
		return sink_at_end(sink) ? SINK_END : SINK_IDLE;
	int r = sink_write(sink, seqs, n);
	if (r < 0) {
		sink_say_write(sink, r);
		return SINK_END;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!sink_retire(sink, seqs[i]))
			return SINK_END;
	}
	return SINK_MORE;
}

static enum sink_result sink_step(struct sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	enum sink_result result = sink->ended ? SINK_END : sink_write_ready(sink);
	sink->ended = result == SINK_END;
	pthread_mutex_unlock(&sink->lock);
	return result;
}

void sink_assist(struct sink *sink)
{
	bool at_it = pthread_mutex_trylock(&sink->lock) == 0;
	bool wrote = at_it && !sink->ended;
	if (wrote)
		sink->ended = sink_write_ready(sink) == SINK_END;
	bool ended = at_it && sink->ended;
	if (at_it)
		pthread_mutex_unlock(&sink->lock);
	if (!wrote || ended)
		ring_wake_at(sink->region, region_sink(sink->region));
}

void sink_catch_up(struct sink *sink)
{
	if (sink_step(sink) == SINK_END)
		ring_wake_at(sink->region, region_sink(sink->region));
}

static void *sink_run(void *argument)
{
	struct sink *sink = argument;
	uint32_t *word = region_wait_word(sink->region, GROUP_SINK);
	enum sink_result result = SINK_MORE;
	while (result != SINK_END) {
		result = sink_step(sink);
		if (result != SINK_IDLE)
			continue;
		uint32_t key = wakeup_prepare(word);
		result = sink_step(sink);
		if (result == SINK_IDLE)
			wakeup_sleep(word, key);
	}
	ring_stop(sink->region);
	/* pairs with: sink_done: the result */
	atomic_store_release(&sink->done, 1);
	fd_ring(sink->bell);
	return NULL;
}

int sink_start(struct sink *sink, const struct region *region)
{
	sink->region = region;
	pthread_mutex_init(&sink->lock, NULL);
	int r = pthread_create(&sink->thread, NULL, sink_run, sink);
	if (r != 0)
		sink->region = NULL;
	return -r;
}

bool sink_done(const struct sink *sink)
{
	/* pairs with: sink_run */
	return atomic_load_acquire(&sink->done);
}

int sink_finish(struct sink *sink)
{
	if (!sink->region)
		return 0;
	ring_stop(sink->region);
	int r = thread_join(sink->thread);
	if (r == 0) {
		pthread_mutex_destroy(&sink->lock);
		sink->region = NULL;
	}
	return r;
}
