/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of text: filled cell by cell, then written with columns as wide as
 * their widest cell. The first `left` columns are set to the left, the others to the right.
 */
#ifndef GRID_H
#define GRID_H

#include "terminal.h"

#include <stddef.h>
#include <stdio.h>

#define GRID_CELL_MAX 64

struct grid {
	size_t columns;
	size_t left; /* how many columns are set to the left */
	size_t cells;
	size_t room;
	char (*cell)[GRID_CELL_MAX];
	int error; /* -ENOMEM: cells were lost */
};

/* Adds the next cell, row after row; a longer text is cut. */
__attribute__((format(printf, 2, 3))) void grid_add(struct grid *grid, const char *format, ...);

/* Adds empty cells up to the end of the row. */
void grid_end_row(struct grid *grid);

/* The first row is the header. Returns 0 or -ENOMEM. */
int grid_write(const struct grid *grid, FILE *to, const struct terminal *terminal);

void grid_fini(struct grid *grid);

#endif
