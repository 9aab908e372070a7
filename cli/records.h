/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting and comparing the records of files that are too large to hold.
 * Descriptors are read with pread(), so their offsets stay as they are.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <leat/pipeline.h>

#include <stdint.h>

struct records_total {
	uint64_t bytes;
	uint64_t records;
};

/* Where two files part: byte from 0, record from 1. */
struct records_difference {
	uint64_t byte;
	uint64_t record;
};

/* Counts from byte `from` to the end. An unended last record counts. Returns 0 or -errno. */
int records_count(int fd, uint64_t from, enum leat_frame frame, struct records_total *ret_total);

/* Returns 1 if the files are equal, 0 if not, and then says where they part; or -errno. */
int records_compare(
    int one, int other, enum leat_frame frame, struct records_difference *ret_difference);

#endif
