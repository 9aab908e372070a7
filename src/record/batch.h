/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch as a stage sees it: records in the run's framing, or an array of a
 * machine's type. Text is read once, by the first stage of a row of stages of one
 * type, and written once, by the last.
 *
 * Threads: any; a batch is a plain value.
 */
#ifndef BATCH_H
#define BATCH_H

#include "frame.h"

#include <leat/worker.h>

struct batch {
	enum leat_kind kind;
	uint32_t n_records;
	const void *data; /* borrowed */
	size_t size;	  /* bytes */
};

/* Room for a number as text. */
#define BATCH_NUMBER_MAX 32

/*
 * The batch's index-th record as text. *ret_record points into the batch, or into
 * `number`, which holds BATCH_NUMBER_MAX bytes. Returns 1, or 0 past the last.
 */
int batch_record(const struct batch *batch, enum leat_frame frame, uint32_t index, char *number,
    const char **ret_record, size_t *ret_size);

/* The bytes that the batch's first n records take. */
size_t batch_size(const struct batch *batch, enum leat_frame frame, uint32_t n);

#endif
