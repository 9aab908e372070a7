/* SPDX-License-Identifier: Apache-2.0 */
#include "comparison.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With one round there is no spread to go by. */
#define COMPARISON_CHANCE 0.02

/* The stage's text without NAME=. */
static const char *comparison_plain_spec(const char *spec)
{
	const char *at = spec;
	while (isalnum((unsigned char)*at) || *at == '_' || *at == '-')
		at++;
	return *at == '=' && at > spec ? at + 1 : spec;
}

bool comparison_is_function(const char *spec, const char *ending)
{
	spec = comparison_plain_spec(spec);
	const char *function = strstr(spec, ending);
	if (!function || strpbrk(spec, " \t"))
		return false;
	function += strlen(ending);
	return *function && !strpbrk(function, "/:");
}

static bool comparison_spec_is_python(const char *spec)
{
	return strncmp(comparison_plain_spec(spec), "py:", 3) == 0 ||
	       comparison_is_function(spec, ".py:");
}

int comparison_name(struct comparison *comparison, size_t stage, const char *name)
{
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	for (char *at = copy; *at; at++) {
		if (iscntrl((unsigned char)*at))
			*at = '?';
	}
	free(comparison->names[stage]);
	comparison->names[stage] = copy;
	return 0;
}

static unsigned comparison_cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

int comparison_init(struct comparison *comparison, const char *const *specs, size_t n_stages)
{
	*comparison = (struct comparison){
	    .specs = specs,
	    .rounds = 1,
	    .cores = comparison_cores(),
	    .reference = -1,
	};
	comparison->names = calloc(n_stages + 1, sizeof(*comparison->names));
	comparison->is_python = calloc(n_stages + 1, sizeof(*comparison->is_python));
	if (!comparison->names || !comparison->is_python)
		return -ENOMEM;
	comparison->n_stages = n_stages;
	for (size_t i = 0; i < n_stages; i++) {
		if (comparison_name(comparison, i, comparison_plain_spec(specs[i])) < 0)
			return -ENOMEM;
		comparison->is_python[i] = comparison_spec_is_python(specs[i]);
	}
	return 0;
}

void comparison_drop(struct compare_mode *mode)
{
	struct compare_run *run = &mode->runs[--mode->n_runs];
	free(run->stages);
	free(run->spans);
	if (run->trace_fd >= 0)
		close(run->trace_fd);
}

void comparison_fini(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->n_stages; i++)
		free(comparison->names[i]);
	free(comparison->names);
	free(comparison->is_python);
	for (size_t i = 0; i < comparison->n_modes; i++) {
		struct compare_mode *mode = &comparison->modes[i];
		while (mode->n_runs > 0)
			comparison_drop(mode);
		free(mode->runs);
	}
}

struct compare_run *comparison_add(const struct comparison *comparison, struct compare_mode *mode)
{
	void *runs = realloc(mode->runs, (mode->n_runs + 1) * sizeof(*mode->runs));
	if (!runs)
		return NULL;
	mode->runs = runs;
	struct compare_run *run = &mode->runs[mode->n_runs];
	*run = (struct compare_run){.startup_ns = UINT64_MAX, .trace_fd = -1};
	run->stages = calloc(comparison->n_stages + 1, sizeof(*run->stages));
	if (!run->stages)
		return NULL;
	mode->n_runs++;
	return run;
}

double compare_wall(const struct comparison *comparison, const struct compare_run *run)
{
	(void)comparison;
	return (double)run->wall_ns / 1e9;
}

double compare_user(const struct comparison *comparison, const struct compare_run *run)
{
	(void)comparison;
	return (double)run->user_ns / 1e9;
}

double compare_sys(const struct comparison *comparison, const struct compare_run *run)
{
	(void)comparison;
	return (double)run->sys_ns / 1e9;
}

double compare_load(const struct comparison *comparison, const struct compare_run *run)
{
	(void)comparison;
	return run->wall_ns ? (double)(run->user_ns + run->sys_ns) / (double)run->wall_ns : NAN;
}

double compare_peak(const struct comparison *comparison, const struct compare_run *run)
{
	(void)comparison;
	return (double)run->peak_bytes;
}

double compare_startup(const struct comparison *comparison, const struct compare_run *run)
{
	(void)comparison;
	return run->startup_ns == UINT64_MAX ? NAN : (double)run->startup_ns / 1e9;
}

double compare_cost(
    const struct comparison *comparison, const struct compare_run *run, size_t stage)
{
	if (comparison->records == 0)
		return NAN;
	return (double)run->stages[stage].cpu_ns / 1e9 / (double)comparison->records;
}

double compare_bound(const struct comparison *comparison, const struct compare_run *run)
{
	double sum = 0;
	double largest = 0;
	for (size_t i = 0; i < comparison->n_stages; i++) {
		double cost = compare_cost(comparison, run, i);
		sum += cost;
		largest = cost > largest ? cost : largest;
	}
	/* No cpu at all: nothing was traced, or no record came. */
	if (!(largest > 0))
		return NAN;
	return sum + (double)(comparison->records - 1) * largest;
}

double compare_ratio(const struct comparison *comparison, const struct compare_run *run)
{
	return compare_wall(comparison, run) / compare_bound(comparison, run);
}

static int comparison_by_value(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;
	return (a > b) - (a < b);
}

double comparison_median(
    const struct comparison *comparison, const struct compare_mode *mode, compare_measure *measure)
{
	double *values = calloc(mode->n_runs + 1, sizeof(*values));
	if (!values)
		return NAN;
	size_t n = 0;
	for (size_t i = 0; i < mode->n_runs; i++) {
		double value = measure(comparison, &mode->runs[i]);
		if (!isnan(value))
			values[n++] = value;
	}
	qsort(values, n, sizeof(*values), comparison_by_value);
	double median = n == 0 ? NAN : (values[(n - 1) / 2] + values[n / 2]) / 2;
	free(values);
	return median;
}

double comparison_spread(const struct compare_mode *mode)
{
	uint64_t shortest = UINT64_MAX;
	uint64_t longest = 0;
	for (size_t i = 0; i < mode->n_runs; i++) {
		uint64_t wall = mode->runs[i].wall_ns;
		shortest = wall < shortest ? wall : shortest;
		longest = wall > longest ? wall : longest;
	}
	return mode->n_runs == 0 ? 0 : (double)(longest - shortest) / 2e9;
}

/* How many rounds were shorter than this one; of equal ones the earlier counts as shorter. */
static size_t comparison_rank(const struct compare_mode *mode, size_t run)
{
	size_t rank = 0;
	for (size_t i = 0; i < mode->n_runs; i++) {
		uint64_t wall = mode->runs[i].wall_ns;
		rank +=
		    wall < mode->runs[run].wall_ns || (wall == mode->runs[run].wall_ns && i < run);
	}
	return rank;
}

struct compare_run *comparison_median_run(const struct compare_mode *mode)
{
	size_t median = 0;
	while (comparison_rank(mode, median) != (mode->n_runs - 1) / 2)
		median++;
	return &mode->runs[median];
}

bool comparison_is_good(const struct compare_mode *mode)
{
	return mode->status == 0 && mode->n_runs > 0;
}

const struct compare_mode *comparison_base(const struct comparison *comparison)
{
	const struct compare_mode *base = NULL;
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		if (!comparison_is_good(mode))
			continue;
		if (strcmp(mode->name, "single") == 0)
			return mode;
		if (!base)
			base = mode;
	}
	return base;
}

double comparison_speedup(const struct comparison *comparison, const struct compare_mode *mode)
{
	const struct compare_mode *base = comparison_base(comparison);
	if (!base)
		return NAN;
	return comparison_median(comparison, base, compare_wall) /
	       comparison_median(comparison, mode, compare_wall);
}

bool comparison_tell_apart(const struct comparison *comparison, const struct compare_mode *one,
    const struct compare_mode *other)
{
	double a = comparison_median(comparison, one, compare_wall);
	double b = comparison_median(comparison, other, compare_wall);
	double chance = comparison_spread(one) + comparison_spread(other);
	if (comparison->rounds == 1)
		chance = COMPARISON_CHANCE * fmax(a, b);
	return fabs(a - b) > chance;
}

const struct compare_mode *comparison_best(const struct comparison *comparison)
{
	const struct compare_mode *best = NULL;
	double shortest = INFINITY;
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		if (!comparison_is_good(mode) || mode->differs)
			continue;
		double wall = comparison_median(comparison, mode, compare_wall);
		if (wall < shortest) {
			shortest = wall;
			best = mode;
		}
	}
	return best;
}

bool comparison_has_command(const struct comparison *comparison, const struct compare_run *run)
{
	for (size_t i = 0; i < comparison->n_stages; i++) {
		if (run->stages[i].is_command)
			return true;
	}
	return false;
}
