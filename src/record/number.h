/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as text, read and written exactly as Python's int(), float() and
 * repr() do (but for underscores between digits, which are refused), so that a
 * record is the same whichever language a stage is in. The locale plays no part.
 * Threads: any.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* The longest texts that number_print_i64() and number_print_f64() write, in bytes. */
#define NUMBER_I64_MAX 20
#define NUMBER_F64_MAX 24

/* Drops the ASCII white space around a text. */
void number_trim(const char **text, size_t *size);

/*
 * The text need not be NUL-terminated. Returns 0; -EINVAL when it is not an
 * integer; -ERANGE when it is one that does not fit.
 */
int number_parse_i64(const char *text, size_t size, int64_t *ret);

/* Writes no NUL; returns the size written. */
size_t number_print_i64(char *to, int64_t value);

/*
 * The text need not be NUL-terminated. As in Python, a number too large to be
 * represented is infinite. Returns 0; -EINVAL when it is not a number; -ENOMEM.
 */
int number_parse_f64(const char *text, size_t size, double *ret);

/* Writes the shortest digits that read back as the same value, no NUL; returns the size. */
size_t number_print_f64(char *to, double value);

#endif
