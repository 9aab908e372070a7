/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each mode's median round as a picture: a row a stage, a block a call. The time
 * scale is common, so that a shorter mode is a shorter picture.
 */
#include "compare_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TIMELINE_NAME_MAX 16

/* Fewer columns a block than this show nothing but noise. */
#define TIMELINE_BLOCK_MIN 2

struct timeline_art {
	const char *edge; /* of a row */
	const char *open; /* of a block */
	const char *line;
	const char *close;
	const char *dot; /* a block of one column */
	const char *bar; /* a command's life */
	const char *shades[5];
};

static const struct timeline_art timeline_ascii = {
    "|", "[", "=", "]", "#", "-", {" ", ".", ":", "=", "#"}};
static const struct timeline_art timeline_utf8 = {
    "│", "├", "─", "┤", "┼", "╌", {" ", "░", "▒", "▓", "█"}};

struct timeline {
	FILE *to;
	const struct terminal *terminal;
	const struct comparison *comparison;
	const struct timeline_art *art;
	int name_columns;
	int columns;	   /* of the longest mode */
	uint64_t scale_ns; /* the longest mode's wall */
	bool shaded;	   /* a row was */
};

static int timeline_column(const struct timeline *timeline, uint64_t at_ns)
{
	return (int)((double)at_ns / (double)timeline->scale_ns * timeline->columns);
}

/* The row's end: where the mode ended, and at least one column. */
static int timeline_end(const struct timeline *timeline, const struct compare_run *run)
{
	int end = timeline_column(timeline, run->wall_ns);
	return end < 1 ? 1 : end;
}

static void timeline_repeat(FILE *to, const char *text, int times)
{
	for (int i = 0; i < times; i++)
		fputs(text, to);
}

/* "3", or "3-8" for a batch; empty where even that has no room. */
static void timeline_label(char *label, size_t size, const struct compare_span *span, int room)
{
	uint64_t last = span->first_record + span->records - 1;
	int n = snprintf(label, size, "%" PRIu64, span->first_record);
	if (span->records > 1)
		n += snprintf(label + n, size - (size_t)n, "-%" PRIu64, last);
	if (n > room)
		label[0] = '\0';
}

static void timeline_block(
    const struct timeline *timeline, const struct compare_span *span, int width)
{
	const struct timeline_art *art = timeline->art;
	if (span->records == 0) {
		timeline_repeat(timeline->to, art->bar, width);
		return;
	}
	if (width == 1) {
		fputs(art->dot, timeline->to);
		return;
	}
	char label[48];
	timeline_label(label, sizeof(label), span, width - 2);
	fputs(art->open, timeline->to);
	fputs(label, timeline->to);
	timeline_repeat(timeline->to, art->line, width - 2 - (int)strlen(label));
	fputs(art->close, timeline->to);
}

static void timeline_blocks(
    const struct timeline *timeline, const struct compare_run *run, uint32_t stage)
{
	int column = 0;
	int row_end = timeline_end(timeline, run);
	for (size_t i = 0; i < run->n_spans && column < row_end; i++) {
		const struct compare_span *span = &run->spans[i];
		if (span->stage != stage)
			continue;
		int start = timeline_column(timeline, span->start_ns);
		int end = timeline_column(timeline, span->end_ns);
		start = start < column ? column : start;
		start = start >= row_end ? row_end - 1 : start;
		end = end <= start ? start + 1 : end;
		end = end > row_end ? row_end : end;
		fprintf(timeline->to, "%*s", start - column, "");
		timeline_block(timeline, span, end - start);
		column = end;
	}
	fprintf(timeline->to, "%*s", row_end - column, "");
}

/* How much of each column the stage spent in calls. */
static void timeline_add_load(
    const struct timeline *timeline, double *load, const struct compare_span *span)
{
	double column_ns = (double)timeline->scale_ns / timeline->columns;
	int last = timeline_column(timeline, span->end_ns);
	for (int i = timeline_column(timeline, span->start_ns); i <= last; i++) {
		double from = i * column_ns;
		double to = from + column_ns;
		from = (double)span->start_ns > from ? (double)span->start_ns : from;
		to = (double)span->end_ns < to ? (double)span->end_ns : to;
		if (to > from)
			load[i] += (to - from) / column_ns;
	}
}

static int timeline_shades(
    const struct timeline *timeline, const struct compare_run *run, uint32_t stage)
{
	/* A span that ends with the scale touches the column after the last. */
	double *load = calloc((size_t)timeline->columns + 1, sizeof(*load));
	if (!load)
		return -ENOMEM;
	for (size_t i = 0; i < run->n_spans; i++) {
		if (run->spans[i].stage == stage)
			timeline_add_load(timeline, load, &run->spans[i]);
	}
	int row_end = timeline_end(timeline, run);
	for (int i = 0; i < row_end; i++) {
		/* Anything at all is to be seen. */
		int shade = (int)(load[i] * 4 + 0.5);
		shade = load[i] > 0 && shade == 0 ? 1 : shade;
		fputs(timeline->art->shades[shade > 4 ? 4 : shade], timeline->to);
	}
	free(load);
	return 0;
}

/* Blocks would be too narrow, or lie on one another. */
static bool timeline_needs_shades(
    const struct timeline *timeline, const struct compare_run *run, uint32_t stage)
{
	uint64_t sum_ns = 0;
	uint64_t last_end_ns = 0;
	uint64_t common_ns = 0;
	size_t n = 0;
	for (size_t i = 0; i < run->n_spans; i++) {
		const struct compare_span *span = &run->spans[i];
		if (span->stage != stage)
			continue;
		if (span->records == 0)
			return false;
		n++;
		sum_ns += span->end_ns - span->start_ns;
		if (span->start_ns < last_end_ns)
			common_ns += last_end_ns - span->start_ns;
		last_end_ns = span->end_ns > last_end_ns ? span->end_ns : last_end_ns;
	}
	double columns = (double)sum_ns / (double)timeline->scale_ns * timeline->columns;
	return n > 1 && (columns < (double)n * TIMELINE_BLOCK_MIN || common_ns > sum_ns / 100);
}

static int timeline_row(struct timeline *timeline, const struct compare_run *run, uint32_t stage)
{
	int r = 0;
	terminal_put(
	    timeline->to, timeline->comparison->names[stage], timeline->name_columns, false);
	fprintf(timeline->to, " %s", timeline->art->edge);
	if (timeline_needs_shades(timeline, run, stage)) {
		timeline->shaded = true;
		r = timeline_shades(timeline, run, stage);
	} else {
		timeline_blocks(timeline, run, stage);
	}
	fprintf(timeline->to, "%s\n", timeline->art->edge);
	return r;
}

/* "0 s" below the left edge, the end's time below the right one. */
static void timeline_axis(const struct timeline *timeline)
{
	char end[TERMINAL_TIME_MAX];
	terminal_time(end, timeline->terminal, (double)timeline->scale_ns / 1e9);
	fprintf(timeline->to, "%*s 0 s", timeline->name_columns, "");
	terminal_put(timeline->to, end, timeline->columns - 1, true);
	fputc('\n', timeline->to);
}

static void timeline_measure(struct timeline *timeline)
{
	const struct comparison *comparison = timeline->comparison;
	for (size_t i = 0; i < comparison->n_stages; i++) {
		int width = terminal_width(comparison->names[i]);
		width = width > TIMELINE_NAME_MAX ? TIMELINE_NAME_MAX : width;
		if (width > timeline->name_columns)
			timeline->name_columns = width;
	}
	/* A blank, the two edges, and the terminal's last column, which may wrap. */
	timeline->columns = timeline->terminal->columns - timeline->name_columns - 4;
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		if (!comparison_is_good(mode))
			continue;
		uint64_t wall_ns = comparison_median_run(mode)->wall_ns;
		if (wall_ns > timeline->scale_ns)
			timeline->scale_ns = wall_ns;
	}
}

int compare_print_timeline(
    FILE *to, const struct terminal *terminal, const struct comparison *comparison)
{
	struct timeline timeline = {
	    .to = to,
	    .terminal = terminal,
	    .comparison = comparison,
	    .art = terminal->utf8 ? &timeline_utf8 : &timeline_ascii,
	};
	timeline_measure(&timeline);
	int r = 0;
	for (size_t i = 0; timeline.scale_ns > 0 && i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		if (!comparison_is_good(mode))
			continue;
		const struct compare_run *run = comparison_median_run(mode);
		terminal_bold(to, terminal, true);
		fputs(mode->name, to);
		terminal_bold(to, terminal, false);
		fprintf(to, ", %.3f s\n", (double)run->wall_ns / 1e9);
		for (uint32_t stage = 0; r == 0 && stage < comparison->n_stages; stage++)
			r = timeline_row(&timeline, run, stage);
	}
	if (timeline.scale_ns > 0)
		timeline_axis(&timeline);
	if (timeline.shaded)
		fputs("calls too short for a block each: the shade is the share of a column's time "
		      "spent in calls\n",
		    to);
	return r;
}
