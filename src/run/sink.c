/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include "atomic.h"
#include "claim.h"
#include "failure.h"
#include "fd.h"
#include "slot.h"
#include "thread.h"
#include "wait.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Batches written by one system call at the most. */
#define SINK_GATHER 64u

static bool sink_is_ready(const struct sink *sink, uint64_t seq)
{
	return ring_is_ready(sink->region, seq, region_sink(sink->region));
}

static bool sink_at_end(const struct sink *sink)
{
	return sink->seq >= ring_end_seq(sink->region) || ring_stopped(sink->region);
}

/* Waits for the next batch. Returns false when there is none to come. */
static bool sink_wait(const struct sink *sink)
{
	uint32_t *word = region_wait_word(sink->region, GROUP_SINK);
	for (;;) {
		if (sink_is_ready(sink, sink->seq))
			return true;
		uint32_t key = wait_prepare(word);
		if (sink_is_ready(sink, sink->seq))
			return true;
		if (sink_at_end(sink))
			return false;
		wait_sleep(word, key);
	}
}

static void sink_say_failure(struct sink *sink, const struct slot *slot)
{
	char text[sizeof(sink->error.text)];
	if (slot->failure.stage == SLOT_SOURCE_FAILED) {
		failure(&sink->error, LEAT_STOPPED, 0, "%s: record %llu %s", sink->source_name,
		    (unsigned long long)slot->first_record, slot->failure.why);
		return;
	}
	slot_describe_failure(sink->region, slot, text, sizeof(text));
	failure(&sink->error, LEAT_STOPPED, 0, "%s", text);
}

static void sink_say_write(struct sink *sink, int code)
{
	if (code == -EPIPE)
		failure(&sink->error, LEAT_READER_GONE, 0,
		    "%s: the reader closed it after %llu records (%llu bytes)", sink->name,
		    (unsigned long long)sink->n_records, (unsigned long long)sink->n_bytes);
	else
		failure(&sink->error, LEAT_STOPPED, 0, "%s: %s, after %llu records (%llu bytes)",
		    sink->name, strerror(-code), (unsigned long long)sink->n_records,
		    (unsigned long long)sink->n_bytes);
}

/* The consecutive batches that are ready, up to and including a failing one. */
static unsigned sink_gather(const struct sink *sink, struct iovec *vector, int *ret_n)
{
	unsigned area = slot_input(region_sink(sink->region));
	unsigned n = 0;
	*ret_n = 0;
	while (n < SINK_GATHER && n < sink->region->header->n_slots &&
	       sink_is_ready(sink, sink->seq + n)) {
		uint64_t seq = sink->seq + n++;
		const struct slot *slot = slot_at(sink->region, seq);
		if (slot->size[area] > 0)
			vector[(*ret_n)++] =
			    (struct iovec){slot_area(sink->region, seq, area), slot->size[area]};
		if (slot_failed(slot))
			break;
	}
	return n;
}

/* Returns false when this batch was the last to go out. */
static bool sink_retire(struct sink *sink)
{
	const struct region *region = sink->region;
	const struct slot *slot = slot_at(region, sink->seq);
	unsigned area = slot_input(region_sink(region));
	bool failed = slot_failed(slot);
	sink->n_source_records += slot->n_source_records;
	sink->n_records += slot->n_records[area];
	sink->n_bytes += slot->size[area];
	for (unsigned i = 0; i < sink->n_observers; i++)
		sink->observers[i].retire(sink->observers[i].context, region, slot);
	if (failed) {
		sink->n_source_records -= slot->n_source_records;
		sink_say_failure(sink, slot);
	}
	slot_trim(region, sink->seq);
	ring_advance(region, sink->seq++, region_sink(region));
	return !failed;
}

static bool sink_step(struct sink *sink)
{
	struct iovec vector[SINK_GATHER];
	int n_vector = 0;
	if (!sink_wait(sink))
		return false;
	unsigned n = sink_gather(sink, vector, &n_vector);
	int r = fd_write_vector(sink->fd, vector, n_vector);
	if (r < 0) {
		sink_say_write(sink, r);
		return false;
	}
	while (n-- > 0) {
		if (!sink_retire(sink))
			return false;
	}
	return true;
}

static void *sink_run(void *argument)
{
	struct sink *sink = argument;
	while (sink_step(sink))
		;
	ring_stop(sink->region);
	/* pairs with: sink_done: the result */
	atomic_store_release(&sink->done, 1);
	fd_ring(sink->bell);
	return NULL;
}

int sink_start(struct sink *sink, const struct region *region)
{
	sink->region = region;
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
	if (r == 0)
		sink->region = NULL;
	return r;
}
