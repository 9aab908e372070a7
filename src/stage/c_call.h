/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calling a C function for every record of a batch. The work between two calls, text
 * to number and back, is here; between neighbours of one machine type there is none.
 *
 * Threads: any, for different outputs.
 */
#ifndef C_CALL_H
#define C_CALL_H

#include "batch.h"

#include <leat/stage.h>

#include <stdbool.h>

typedef int c_call_grow(void *context, size_t size, size_t *ret_capacity);

/* Where the output goes. */
struct c_call_output {
	void *data;
	size_t capacity; /* bytes */
	size_t most;	 /* what it can become, for the message; 0: it stays as it is */
	/*
	 * Asked for room for `size` bytes when they do not fit; NULL: there is none. Returns 0
	 * with the new capacity, -ENOSPC if it never fits, or -EAGAIN if it may later.
	 */
	c_call_grow *grow;
	void *context;
	enum leat_frame frame;
	uint64_t max_record;
	enum leat_kind wanted; /* another kind than records only if the function gives it */
	uint32_t *progress;    /* set to each record's index before its call; NULL: not */
};

/*
 * Numbers are called in runs: read together, called one after the other, written together.
 * This many fit the processor's nearest cache.
 */
#define CALL_RUN 128

/* What a batch came to. */
struct c_call_result {
	enum leat_kind kind;
	size_t size;	    /* bytes of output */
	uint32_t n_records; /* records of output */
	uint32_t failed;    /* index of the failing input record, if why is not empty */
	uint32_t at;	    /* index of the record whose call was the last to begin */
	uint32_t first;	    /* index of the first record of its run */
	size_t whole_size;  /* output of the records before that one */
	uint32_t whole_records;
	/* What the run's calls gave and is not written yet, where text is wanted. */
	union {
		int64_t i64[CALL_RUN];
		double f64[CALL_RUN];
	} given;
	bool later; /* it did not fit for now: nothing else counts, run it again */
	char why[512];
};

/* The machine type that a stage can take and give instead of text; LEAT_RECORDS: none. */
static inline enum leat_kind c_call_kind(const struct leat_stage *stage)
{
	return stage->kind == LEAT_STAGE_I64   ? LEAT_I64
	       : stage->kind == LEAT_STAGE_F64 ? LEAT_F64
					       : LEAT_RECORDS;
}

/*
 * Calls the function for every record and collects what it gives. Stops at the first
 * record that fails, with the output of the ones before it kept and `why` written.
 * The batch's kind is records or c_call_kind().
 */
void c_call_batch(const struct leat_stage *stage, const struct batch *batch,
    const struct c_call_output *output, struct c_call_result *ret_result);

/*
 * The function never came back to c_call_batch(): makes the result what it would be if the
 * record had failed for the reason given.
 */
void c_call_crashed(const struct leat_stage *stage, const struct c_call_output *output,
    struct c_call_result *result, const char *why);

#endif
