/* SPDX-License-Identifier: Apache-2.0 */
#include "grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#define GRID_GAP 2

/* Makes room for a cell; false if there is none. */
static bool grid_reserve(struct grid *grid)
{
	if (grid->error < 0 || grid->cells < grid->room)
		return grid->error == 0;
	size_t room = grid->room ? 2 * grid->room : 64;
	void *cell = realloc(grid->cell, room * sizeof(*grid->cell));
	if (!cell) {
		grid->error = -ENOMEM;
		return false;
	}
	grid->cell = cell;
	grid->room = room;
	return true;
}

void grid_add(struct grid *grid, const char *format, ...)
{
	if (!grid_reserve(grid))
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(grid->cell[grid->cells++], GRID_CELL_MAX, format, args);
	va_end(args);
}

void grid_end_row(struct grid *grid)
{
	while (grid->error == 0 && grid->cells % grid->columns != 0)
		grid_add(grid, "%s", "");
}

static int grid_width(const struct grid *grid, size_t column)
{
	int width = 0;
	for (size_t i = column; i < grid->cells; i += grid->columns) {
		int cell = terminal_width(grid->cell[i]);
		width = cell > width ? cell : width;
	}
	return width;
}

/* The last column that has a text, so that no line ends in blanks. */
static size_t grid_row_end(const struct grid *grid, size_t row)
{
	size_t end = row + grid->columns < grid->cells ? row + grid->columns : grid->cells;
	while (end > row && grid->cell[end - 1][0] == '\0')
		end--;
	return end;
}

int grid_write(const struct grid *grid, FILE *to, const struct terminal *terminal)
{
	if (grid->error < 0)
		return grid->error;
	for (size_t row = 0; row < grid->cells; row += grid->columns) {
		size_t end = grid_row_end(grid, row);
		if (row == 0)
			terminal_bold(to, terminal, true);
		for (size_t i = row; i < end; i++) {
			size_t column = i - row;
			int width = grid_width(grid, column);
			if (column < grid->left && i + 1 == end)
				width = terminal_width(grid->cell[i]);
			fprintf(to, "%*s", column > 0 ? GRID_GAP : 0, "");
			terminal_put(to, grid->cell[i], width, column >= grid->left);
		}
		if (row == 0)
			terminal_bold(to, terminal, false);
		fputc('\n', to);
	}
	return 0;
}

void grid_fini(struct grid *grid)
{
	free(grid->cell);
	grid->cell = NULL;
	grid->cells = 0;
	grid->room = 0;
}
