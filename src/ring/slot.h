/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot: one batch of records on its way from the source to the sink, with its
 * two areas and its own history.
 *
 * The stage at position p reads area (p - 1) % 2 and writes area p % 2: the areas
 * swap at every commit with nothing to keep in step, and a stage's input stays
 * untouched until its commit. The source, position 0, writes area 0.
 *
 * All fields but `state` belong to whoever holds the slot (see claim.h).
 */
#ifndef SLOT_H
#define SLOT_H

#include "batch.h"
#include "region.h"

#include <stdbool.h>
#include <stdint.h>

/* Of the processes that a batch was begun in, those that died of one cause. */
struct slot_deaths {
	uint32_t alone;	     /* while nothing else was begun there: it is to blame */
	uint32_t in_company; /* while other batches were, too */
};

/* What one stage did with this batch. Times as in base/clock.h. */
struct slot_history {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t cpu_ns;
	uint32_t worker;
	uint32_t attempts; /* how often it was begun; at most one was committed */
	uint32_t records_in;
	uint32_t records_out;
	/* The run's own, of workers that died with it: */
	uint32_t lost; /* attempts that came to nothing */
	struct slot_deaths crashes;
	struct slot_deaths kills; /* by SIGKILL */
};

/* Before what a process that died said last, in a message. */
#define SLOT_LAST_STDERR "; its last lines on stderr: "

/* `stage` of a batch in which nothing failed, or whose source failed. */
#define SLOT_NO_FAILURE	   UINT32_MAX
#define SLOT_SOURCE_FAILED (UINT32_MAX - 1)

/* `index` of a failure that no single record is to blame for: the whole batch is. */
#define SLOT_NO_INDEX UINT32_MAX

/* The batch was cut at a record that failed: what came before it goes on. */
struct slot_failure {
	uint32_t stage;
	uint32_t index; /* of the failing record in the stage's input; or SLOT_NO_INDEX */
	char why[768];
	char record[96]; /* as messages show it; may be empty */
	char words[608]; /* what its process said last; may be empty */
};

struct slot {
	uint64_t state;					    /* see slot_state.h */
	uint64_t first_record __attribute__((aligned(64))); /* source's number, from 1 */
	uint64_t size[2];				    /* bytes used of each area */
	uint64_t high[2]; /* the most bytes that may be in use of each area; see memory_budget.h */
	uint32_t n_records[2];
	uint32_t kind[2]; /* an enum leat_kind */
	uint32_t n_source_records;
	uint32_t progress;	   /* a careful worker's: the record it is at; see worker.c */
	uint32_t waits_for_oldest; /* it was too large: it waits to be the oldest */
	uint64_t source_bytes;
	uint64_t expected; /* the source's: the memory it may come to need */
	uint64_t peak;	   /* the most bytes in both areas together */
	struct slot_failure failure;
	struct slot_history history[]; /* n_stages */
};

static inline uint64_t slot_index(const struct region *region, uint64_t seq)
{
	return seq & (region->header->n_slots - 1);
}

static inline struct slot *slot_at(const struct region *region, uint64_t seq)
{
	const struct region_header *header = region->header;
	return (struct slot *)((char *)header + header->slots_offset +
			       slot_index(region, seq) * header->slot_stride);
}

/* The area that is written at a position, and the one that is read there. */
static inline unsigned slot_output(unsigned position)
{
	return position % 2;
}

static inline unsigned slot_input(unsigned position)
{
	return (position + 1) % 2;
}

/* The bytes of one of the slot's two areas. */
char *slot_area(const struct region *region, uint64_t seq, unsigned area);

/* Notes what was written to an area. */
void slot_set_output(
    struct slot *slot, unsigned area, enum leat_kind kind, uint64_t size, uint32_t n_records);

/* What is in an area; no more than the area holds, whatever the slot says. */
struct batch slot_batch(const struct region *region, uint64_t seq, unsigned area);

/*
 * Cuts the batch at the index-th record of what is read at this position. `why` is
 * copied, and the record as messages show it; words, if there are any, are set after it.
 */
void slot_cut(
    const struct region *region, uint64_t seq, unsigned position, uint32_t index, const char *why);

/* Leaves only the first n records of what is read at this position. */
void slot_shorten_input(const struct region *region, uint64_t seq, unsigned position, uint32_t n);

/* The source failed where its next record would be. */
void slot_fail_source(struct slot *slot, const char *why);

static inline void slot_clear_failure(struct slot *slot)
{
	slot->failure.stage = SLOT_NO_FAILURE;
}

/* What a process that died with the batch said last, for slot_describe_failure. */
void slot_set_last_stderr(struct slot *slot, const char *words);

/* The batch was never tried: it is a new one, or a part of the one that was. */
void slot_forget_tries(struct slot_history *history);

static inline bool slot_failed(const struct slot *slot)
{
	return slot->failure.stage != SLOT_NO_FAILURE;
}

/* Whether each record of a stage's input is one of the source's, as far as it is known. */
bool slot_is_exact(const struct slot *slot, uint32_t stage);

/*
 * The source's numbers of the records that the failure may be about: one where it
 * is known (each stage before gave one record for one), else the whole batch.
 */
void slot_failed_records(const struct slot *slot, uint64_t *ret_first, uint64_t *ret_last);

/*
 * How a message tells a stage's failure: `stage 'mul': odd, record 3: "abc"`, or with
 * `one of records 1 to 64`, and `; its last lines on stderr: ...` of a process that died.
 */
void slot_describe_failure(
    const struct region *region, const struct slot *slot, char *text, size_t capacity);

/* Give an area back to the system; both, if they are large. The caller holds the slot. */
void slot_give_back(const struct region *region, uint64_t seq, unsigned area);
void slot_trim(const struct region *region, uint64_t seq);

#endif
