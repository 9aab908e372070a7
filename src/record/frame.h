/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing: how records follow one another in a run of bytes, the same on stdin,
 * in a slot and on stdout.
 * Threads: any; nothing here has state but what the caller passes.
 */
#ifndef FRAME_H
#define FRAME_H

#include <leat/pipeline.h>

#include <stddef.h>
#include <stdint.h>

/* A walk over complete records. */
struct frame_reader {
	enum leat_frame frame;
	const char *at;
	const char *end;
};

/* What ends a record in newline and nul framing. */
char frame_separator(enum leat_frame frame);

/* The next record, without its framing. Returns 1, or 0 at the end. */
int frame_next(struct frame_reader *reader, const char **ret_record, size_t *ret_size);

/* The bytes that a record of this size takes with its framing. */
size_t frame_size(enum leat_frame frame, size_t record_size);

/*
 * Whether these bytes may be one record: in newline and nul framing the
 * separator must not occur in it. Returns 0, or -EILSEQ.
 */
int frame_check(enum leat_frame frame, const void *record, size_t size);

/* Writes one record with its framing to `to`, which holds frame_size() bytes; returns its end. */
char *frame_put(enum leat_frame frame, char *to, const void *record, size_t size);

/*
 * The same for a record that has been written in place, frame_before() bytes after
 * `to`: adds what goes before and after it, and returns its end.
 */
size_t frame_before(enum leat_frame frame);
char *frame_finish(enum leat_frame frame, char *to, size_t size);

/*
 * Finds how many whole records `data` starts with, up to max_records, and how
 * many bytes they take. A record longer than max_record ends the count before
 * it. Returns 0, or -EMSGSIZE when the first record already is too long (known
 * as soon as that much of it is there, ended or not).
 */
int frame_scan(enum leat_frame frame, const char *data, size_t size, uint64_t max_record,
    uint32_t max_records, uint32_t *ret_records, size_t *ret_size);

#endif
