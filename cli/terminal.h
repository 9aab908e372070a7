/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reader of an output can see, and text measured in its columns.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct terminal {
	int columns;
	bool utf8;
	bool colour;
};

/* setlocale(LC_CTYPE, "") must have been called. */
struct terminal terminal_describe(int fd);

/* The columns that a text takes; what cannot be shown counts as one. */
int terminal_width(const char *text);

/*
 * Writes a text cut or padded with blanks to `width` columns, on the right, or
 * with `to_right` on the left. What cannot be shown becomes a question mark.
 */
void terminal_put(FILE *to, const char *text, int width, bool to_right);

/* Bold on and off; nothing without colour. */
void terminal_bold(FILE *to, const struct terminal *terminal, bool on);

/* A time with its unit, three digits: 2.48 s, 12.0 ms, 831 ns. Returns `buffer`. */
#define TERMINAL_TIME_MAX 32
char *terminal_time(char *buffer, const struct terminal *terminal, double seconds);

#endif
