/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the source has read and not yet filled a slot with: reading, and finding the next
 * batch in it.
 *
 * Threads: the source's.
 */
#ifndef SOURCE_READER_H
#define SOURCE_READER_H

#include "atomic.h"
#include "claim.h"
#include "source.h"

enum source_result {
	SOURCE_MORE,
	SOURCE_END,
	SOURCE_FAILED, /* said in `why` */
};

static inline uint64_t source_reader_least(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

/* Whether batches hold what they are told to, and wait until they do. */
static inline bool source_reader_is_exact(const struct source *source)
{
	return source->region->header->batch_exactly > 0;
}

static inline bool source_reader_stopping(struct source *source)
{
	/* pairs with: source_stop */
	return atomic_load_seq(&source->stop) || ring_stopped(source->region);
}

/* How large its buffer is at first. */
size_t source_reader_first_capacity(const struct region *region);

/* Finds the next batch in what has arrived, reading more until there is one. */
enum source_result source_reader_next(
    struct source *source, uint32_t *ret_records, size_t *ret_size, char *why, size_t capacity);

/* After a large record, small ones do not need its buffer. */
void source_reader_shrink(struct source *source);

#endif
