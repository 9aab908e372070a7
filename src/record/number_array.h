/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in a row: the quick ways for what most records are, in newline or nul framing. They agree
 * with number.h in every bit, and leave to it what is written in any other way.
 * Threads: any.
 */
#ifndef NUMBER_ARRAY_H
#define NUMBER_ARRAY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads plain integers, each an optional minus, 1 to 18 digits, and the separator, which must
 * occur before `end`. Stops at the first that is anything else, and after n. *at is where
 * reading begins, and then where it has stopped. Returns how many were read.
 */
uint32_t number_array_scan_i64(
    const char **at, const char *end, char separator, int64_t *values, uint32_t n);

/* The same for an optional minus, 1 to 7 digits, and perhaps a point and up to 7 digits more. */
uint32_t number_array_scan_f64(
    const char **at, const char *end, char separator, double *values, uint32_t n);

/*
 * Writes n numbers, each followed by the separator; returns the end. There must be room for
 * the longest, NUMBER_I64_MAX or NUMBER_F64_MAX bytes and a separator, n times: bytes
 * behind the end are written too.
 */
char *number_array_print_i64(char *to, char separator, const int64_t *values, uint32_t n);
char *number_array_print_f64(char *to, char separator, const double *values, uint32_t n);

#endif
