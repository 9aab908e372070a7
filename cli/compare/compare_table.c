/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row a mode, and one row a stage and mode, so that a stage's calls can be
 * compared down a column.
 */
#include "compare_print.h"

#include "grid.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void table_add_header(
    struct grid *grid, const struct terminal *terminal, const struct comparison *comparison)
{
	grid_add(grid, "mode");
	grid_add(grid, "wall s");
	if (comparison->rounds > 1)
		grid_add(grid, "%s", terminal->utf8 ? "±" : "+-");
	static const char *const names[] = {
	    "user s", "sys s", "cpu %", "peak MiB", "speed-up", "bound s", "wall/bound"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		grid_add(grid, "%s", names[i]);
}

/* A number, or a dash where it is not known. */
static void table_add_number(struct grid *grid, const char *before, int digits, double number)
{
	if (isfinite(number))
		grid_add(grid, "%s%.*f", before, digits, number);
	else
		grid_add(grid, "-");
}

static void table_add_mode(
    struct grid *grid, const struct comparison *comparison, const struct compare_mode *mode)
{
	grid_add(grid, "%s", mode->name);
	if (!comparison_is_good(mode)) {
		grid_add(grid, "failed");
		grid_end_row(grid);
		return;
	}
	table_add_number(grid, "", 3, comparison_median(comparison, mode, compare_wall));
	if (comparison->rounds > 1)
		table_add_number(grid, "", 3, comparison_spread(mode));
	table_add_number(grid, "", 3, comparison_median(comparison, mode, compare_user));
	table_add_number(grid, "", 3, comparison_median(comparison, mode, compare_sys));
	table_add_number(grid, "", 0, 100 * comparison_median(comparison, mode, compare_load));
	table_add_number(
	    grid, "", 1, comparison_median(comparison, mode, compare_peak) / (1024.0 * 1024.0));
	table_add_number(grid, "", 2, comparison_speedup(comparison, mode));
	const char *about = comparison_has_command(comparison, &mode->runs[0]) ? "~" : "";
	table_add_number(grid, about, 3, comparison_median(comparison, mode, compare_bound));
	table_add_number(grid, about, 3, comparison_median(comparison, mode, compare_ratio));
}

static void table_add_time(
    struct grid *grid, const struct terminal *terminal, const char *before, double seconds)
{
	char time[TERMINAL_TIME_MAX];
	if (isfinite(seconds))
		grid_add(grid, "%s%s", before, terminal_time(time, terminal, seconds));
	else
		grid_add(grid, "-");
}

/* A stage's mean call over all rounds of a mode. */
static void table_add_stage(struct grid *grid, const struct terminal *terminal,
    const struct comparison *comparison, const struct compare_mode *mode, size_t index)
{
	struct compare_stage sum = {0};
	for (size_t i = 0; i < mode->n_runs; i++) {
		const struct compare_stage *stage = &mode->runs[i].stages[index];
		sum.calls += stage->calls;
		sum.wall_ns += stage->wall_ns;
		sum.cpu_ns += stage->cpu_ns;
		sum.is_command |= stage->is_command;
	}
	grid_add(grid, "%s", comparison->names[index]);
	grid_add(grid, "%s", mode->name);
	double runs = (double)mode->n_runs;
	if (sum.is_command) {
		grid_add(grid, "-");
		grid_add(grid, "-");
		table_add_time(grid, terminal, "~",
		    (double)sum.cpu_ns / 1e9 / runs / (double)comparison->records);
		return;
	}
	double calls = (double)sum.calls;
	grid_add(grid, "%.0f", calls / runs);
	table_add_time(grid, terminal, "", (double)sum.wall_ns / 1e9 / calls);
	table_add_time(grid, terminal, "", (double)sum.cpu_ns / 1e9 / calls);
}

static int table_print_stages(
    FILE *to, const struct terminal *terminal, const struct comparison *comparison)
{
	struct grid grid = {.columns = 5, .left = 2};
	static const char *const names[] = {"stage", "mode", "calls", "wall a call", "cpu a call"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		grid_add(&grid, "%s", names[i]);
	for (size_t stage = 0; stage < comparison->n_stages; stage++) {
		for (size_t i = 0; i < comparison->n_modes; i++) {
			const struct compare_mode *mode = &comparison->modes[i];
			if (comparison_is_good(mode))
				table_add_stage(&grid, terminal, comparison, mode, stage);
		}
	}
	int r = grid_write(&grid, to, terminal);
	grid_fini(&grid);
	return r;
}

/* What the commands have read and written, in any one mode: they do the same in each. */
static void table_print_io(FILE *to, const struct comparison *comparison)
{
	const struct compare_run *run = comparison_median_run(comparison_base(comparison));
	for (size_t i = 0; i < comparison->n_stages; i++) {
		const struct compare_stage *stage = &run->stages[i];
		if (stage->has_io)
			fprintf(to, "%s read %" PRIu64 " bytes, wrote %" PRIu64 "\n",
			    comparison->names[i], stage->read_bytes, stage->written_bytes);
	}
}

int compare_print_table(
    FILE *to, const struct terminal *terminal, const struct comparison *comparison)
{
	struct grid grid = {.columns = comparison->rounds > 1 ? 10 : 9, .left = 1};
	table_add_header(&grid, terminal, comparison);
	bool about = false;
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		table_add_mode(&grid, comparison, mode);
		about |= mode->n_runs > 0 && comparison_has_command(comparison, &mode->runs[0]);
	}
	int r = grid_write(&grid, to, terminal);
	grid_fini(&grid);
	if (r < 0 || !comparison_base(comparison))
		return r;
	fputs("bound: the calls' cpu time alone as an ideal pipeline, a core for each stage\n", to);
	if (about)
		fputs("~: the calls of a command cannot be seen; its whole cpu time by the "
		      "source's records\n",
		    to);
	fputc('\n', to);
	r = table_print_stages(to, terminal, comparison);
	table_print_io(to, comparison);
	return r;
}

static const char *table_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void compare_print_outputs(FILE *to, const struct comparison *comparison)
{
	size_t good = 0;
	size_t differing = 0;
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		good += mode->n_runs > 0;
		differing += mode->n_runs > 0 && mode->differs;
	}
	if (comparison->reference < 0)
		return;
	const char *reference = comparison->modes[comparison->reference].name;
	const struct records_total *output = &comparison->output;
	if (differing == 0) {
		if (good == 1)
			fprintf(
			    to, "outputs: of %s alone, nothing to compare them with (", reference);
		else
			fprintf(to, "outputs: identical in all %zu modes (", good);
		fprintf(to, "%" PRIu64 " byte%s, %" PRIu64 " record%s)\n", output->bytes,
		    table_plural(output->bytes), output->records, table_plural(output->records));
		return;
	}
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		if (mode->n_runs == 0 || !mode->differs)
			continue;
		const char *of =
		    (int)i == comparison->reference ? "its own first round" : reference;
		fprintf(to,
		    "outputs: %s differs from %s, first in record %" PRIu64 " (byte offset %" PRIu64
		    ")\n",
		    mode->name, of, mode->difference.record, mode->difference.byte);
	}
}
