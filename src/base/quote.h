/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing bytes to people and to shells. Threads: any.
 */
#ifndef QUOTE_H
#define QUOTE_H

#include <stddef.h>

/* Room for any quote_record() result. */
#define QUOTE_RECORD_MAX 96

/*
 * A record as a message shows it: in double quotes, control bytes and invalid
 * UTF-8 escaped, cut after about 60 bytes with its whole size named.
 * Returns `buffer`, which holds QUOTE_RECORD_MAX bytes.
 */
char *quote_record(char *buffer, const void *record, size_t size);

/*
 * A line as a message shows it within others: without blanks around it, what quote_record
 * escapes escaped, cut to `capacity` bytes with "..." at its end. Returns `buffer`.
 */
char *quote_line(char *buffer, size_t capacity, const void *line, size_t size);

/* One word for a POSIX shell, quoted only where needed; free() it. NULL: out of memory. */
char *quote_shell(const char *word);

/* Drops an incomplete UTF-8 character from the end of a string that was cut. */
void quote_trim(char *text);

#endif
