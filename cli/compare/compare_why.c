/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentences. A stage's calls that took much more wall than cpu have waited,
 * and what they waited for follows from how much cpu was used meanwhile:
 *
 *	about one core, by Python stages in one process	the interpreter's lock
 *	all cores					a core
 *	clearly less					they slept, or waited for I/O
 *
 * Where that leaves a doubt, the sentence says so.
 */
#include "compare_print.h"

#include <math.h>
#include <string.h>

/* A stage has waited when wall is this many times cpu, */
#define WHY_WALL_BY_CPU 1.3
/* and this share of the run was lost by it. */
#define WHY_LOST_SHARE 0.05

/* Shares of the run that are not worth words. */
#define WHY_OVERLAP_SHARE 0.01
#define WHY_IDLE_SHARE	  0.2

/* A core is given away for about this long at a time, and not for most of a call. */
#define WHY_PREEMPTION_S	0.01
#define WHY_PREEMPTED_CPU_SHARE 0.2

enum why_cause {
	WHY_NOTHING,
	WHY_LOCK,
	WHY_LOCK_OR_IO,
	WHY_CORE,
	WHY_CORE_OR_IO,
	WHY_IO,
	WHY_UNSURE,
};

static const char *const why_causes[] = {
    [WHY_LOCK] = "they waited for the interpreter's lock",
    [WHY_LOCK_OR_IO] = "they waited for the interpreter's lock, slept or waited for I/O",
    [WHY_CORE] = "they waited for a core",
    [WHY_CORE_OR_IO] = "they waited for a core, slept or waited for I/O",
    [WHY_IO] = "they slept or waited for I/O",
    [WHY_UNSURE] = "they slept, or waited for I/O, a core or other threads and processes",
};

/* The stages whose calls have waited, and what that cost. Seconds. */
struct why_wait {
	size_t stages;
	size_t pythons;
	double wall;
	double cpu;
};

static bool why_stage_waited(const struct compare_run *run, size_t stage)
{
	const struct compare_stage *use = &run->stages[stage];
	if (use->is_command || use->wall_ns < use->cpu_ns)
		return false;
	double lost = (double)(use->wall_ns - use->cpu_ns);
	return (double)use->wall_ns > WHY_WALL_BY_CPU * (double)use->cpu_ns &&
	       lost > WHY_LOST_SHARE * (double)run->wall_ns;
}

static struct why_wait why_wait(const struct comparison *comparison, const struct compare_run *run)
{
	struct why_wait wait = {0};
	for (size_t i = 0; i < comparison->n_stages; i++) {
		if (!why_stage_waited(run, i))
			continue;
		wait.stages++;
		wait.pythons += comparison->is_python[i];
		wait.wall += (double)run->stages[i].wall_ns / 1e9;
		wait.cpu += (double)run->stages[i].cpu_ns / 1e9;
	}
	return wait;
}

/* Cpu of the stages, of the Python ones only if asked; seconds. */
static double why_stages_cpu(
    const struct comparison *comparison, const struct compare_run *run, bool only_python)
{
	double cpu = 0;
	for (size_t i = 0; i < comparison->n_stages; i++) {
		if (!only_python || comparison->is_python[i])
			cpu += (double)run->stages[i].cpu_ns / 1e9;
	}
	return cpu;
}

static bool why_shares_lock(const struct comparison *comparison, const struct compare_mode *mode)
{
	size_t pythons = 0;
	for (size_t i = 0; i < comparison->n_stages; i++)
		pythons += comparison->is_python[i];
	return strcmp(mode->name, "threads") == 0 && pythons >= 2;
}

/* What waiting Python threads of one process say by the cores they kept busy. */
static enum why_cause why_lock_cause(
    const struct comparison *comparison, const struct compare_run *run)
{
	double cores = why_stages_cpu(comparison, run, true) / ((double)run->python_ns / 1e9);
	/* More than one at once: an interpreter without the lock, or calls that give it up. */
	if (cores > 1.2 || cores < 0.5)
		return WHY_NOTHING;
	return cores >= 0.8 ? WHY_LOCK : WHY_LOCK_OR_IO;
}

static enum why_cause why_cause(const struct comparison *comparison,
    const struct compare_mode *mode, const struct compare_run *run, const struct why_wait *wait)
{
	if (wait->stages == 0)
		return WHY_NOTHING;
	if (comparison->cores > 1 && wait->pythons > 0 && why_shares_lock(comparison, mode) &&
	    (double)run->overlap_ns > WHY_OVERLAP_SHARE * (double)run->wall_ns) {
		enum why_cause cause = why_lock_cause(comparison, run);
		if (cause != WHY_NOTHING)
			return cause;
	}
	double lost = wait->wall - wait->cpu;
	double seen = why_stages_cpu(comparison, run, false);
	double used = compare_user(comparison, run) + compare_sys(comparison, run);
	/* Somebody computed whom no call's clock has seen: a library's threads, a child. */
	if (used - seen > 0.5 * lost)
		return WHY_UNSURE;
	double load = fmax(seen / ((double)run->busy_ns / 1e9), compare_load(comparison, run));
	if (load >= 0.9 * comparison->cores)
		return WHY_CORE;
	bool preempted = (double)run->preemptions * WHY_PREEMPTION_S > 0.5 * lost &&
			 wait->cpu > WHY_PREEMPTED_CPU_SHARE * wait->wall;
	return load >= 0.75 * comparison->cores || preempted ? WHY_CORE_OR_IO : WHY_IO;
}

static void why_print_overlap(FILE *to, const struct comparison *comparison,
    const struct compare_mode *mode, const struct compare_run *run)
{
	double share = (double)run->overlap_ns / (double)run->wall_ns;
	if (comparison->n_stages == 1)
		fputs("a single stage has nothing to overlap with", to);
	else if (comparison_has_command(comparison, run))
		fprintf(to, "%.2f cores were busy (the calls of commands cannot be seen)",
		    compare_load(comparison, run));
	else if (run->busy_ns == 0)
		fputs("no calls were seen", to);
	else if (strcmp(mode->name, "single") == 0 && share < WHY_OVERLAP_SHARE)
		fputs("one record at a time, so no two stages overlapped", to);
	else if (share < WHY_OVERLAP_SHARE)
		fputs("no two stages overlapped", to);
	else if (comparison->n_stages == 2)
		fprintf(to, "%s and %s overlapped for %.0f %% of the time", comparison->names[0],
		    comparison->names[1], 100 * share);
	else
		fprintf(to, "two or more stages overlapped for %.0f %% of the time", 100 * share);
}

/* "their", "mul's", "mul's and add's": whose calls have waited. */
static void why_print_whose(
    FILE *to, const struct comparison *comparison, const struct compare_run *run, size_t n)
{
	if (n == comparison->n_stages && n > 1) {
		fputs("their", to);
		return;
	}
	size_t left = n;
	for (size_t i = 0; i < comparison->n_stages; i++) {
		if (!why_stage_waited(run, i))
			continue;
		left--;
		fprintf(to, "%s's%s", comparison->names[i],
		    left == 0	? ""
		    : left == 1 ? " and "
				: ", ");
	}
}

static void why_print_wait(FILE *to, const struct terminal *terminal,
    const struct comparison *comparison, const struct compare_run *run, const struct why_wait *wait,
    enum why_cause cause)
{
	char wall[TERMINAL_TIME_MAX];
	char cpu[TERMINAL_TIME_MAX];
	bool overlapped = (double)run->overlap_ns >= WHY_OVERLAP_SHARE * (double)run->wall_ns;
	fputs(overlapped ? ", but " : ", and ", to);
	why_print_whose(to, comparison, run, wait->stages);
	fprintf(to, " calls took %s of wall for %s of cpu: %s",
	    terminal_time(wall, terminal, wait->wall), terminal_time(cpu, terminal, wait->cpu),
	    why_causes[cause]);
}

/* Time in which no stage was in a call: start-up, and carrying records. */
static void why_print_idle(FILE *to, const struct terminal *terminal, const struct compare_run *run)
{
	double wall = (double)run->wall_ns / 1e9;
	double idle = wall - (double)run->busy_ns / 1e9;
	if (run->busy_ns == 0 || idle < WHY_IDLE_SHARE * wall)
		return;
	char startup[TERMINAL_TIME_MAX];
	fprintf(to, "; no stage was in a call for %.0f %% of the time, %s of it before the first",
	    100 * idle / wall, terminal_time(startup, terminal, (double)run->startup_ns / 1e9));
}

/* What a difference must exceed to be one. */
static const char *why_chance(const struct comparison *comparison)
{
	return comparison->rounds > 1 ? "the spread" : "2 %";
}

static void why_print_gain(FILE *to, const struct comparison *comparison,
    const struct compare_mode *mode, enum why_cause cause)
{
	const struct compare_mode *base = comparison_base(comparison);
	if (!base || mode == base)
		return;
	double gain = comparison_speedup(comparison, mode);
	bool apart = comparison_tell_apart(comparison, base, mode);
	if (apart && gain > 1) {
		fprintf(to, "; %.0f %% less time than %s", 100 * (1 - 1 / gain), base->name);
		return;
	}
	if (cause == WHY_LOCK || cause == WHY_CORE)
		fputs(", so nothing was gained", to);
	if (!apart && cause != WHY_LOCK && cause != WHY_CORE)
		fprintf(to, "; as fast as %s within %s", base->name, why_chance(comparison));
	else if (apart && gain > 0.5)
		fprintf(to, "; %.0f %% more time than %s", 100 * (1 / gain - 1), base->name);
	else if (apart)
		fprintf(to, "; %.1f times as long as %s", 1 / gain, base->name);
}

void compare_print_reason(FILE *to, const struct terminal *terminal,
    const struct comparison *comparison, const struct compare_mode *mode)
{
	const struct compare_run *run = comparison_median_run(mode);
	struct why_wait wait = why_wait(comparison, run);
	enum why_cause cause = why_cause(comparison, mode, run, &wait);
	why_print_overlap(to, comparison, mode, run);
	if (cause != WHY_NOTHING)
		why_print_wait(to, terminal, comparison, run, &wait, cause);
	if (!comparison_has_command(comparison, run))
		why_print_idle(to, terminal, run);
	why_print_gain(to, comparison, mode, cause);
	fputc('.', to);
}

/* How long a stage holds a source record up when nothing else does; seconds. */
static double why_pace(const struct comparison *comparison, const struct compare_mode *mode,
    const struct compare_run *run, size_t stage)
{
	struct why_wait wait = why_wait(comparison, run);
	enum why_cause cause = why_cause(comparison, mode, run, &wait);
	bool own = cause != WHY_LOCK && cause != WHY_LOCK_OR_IO && cause != WHY_CORE;
	const struct compare_stage *use = &run->stages[stage];
	uint64_t ns = own && !use->is_command ? use->wall_ns : use->cpu_ns;
	return comparison->records ? (double)ns / 1e9 / (double)comparison->records : 0;
}

/* The stage of the slowest pace but for `but`; -1: none takes any time. */
static int why_slowest(
    const struct comparison *comparison, const struct compare_mode *mode, int but)
{
	const struct compare_run *run = comparison_median_run(mode);
	double slowest = 0;
	int found = -1;
	for (int i = 0; i < (int)comparison->n_stages; i++) {
		double pace = why_pace(comparison, mode, run, (size_t)i);
		if (i != but && pace > slowest) {
			slowest = pace;
			found = i;
		}
	}
	return found;
}

int compare_bottleneck(const struct comparison *comparison)
{
	const struct compare_mode *best = comparison_best(comparison);
	return best ? why_slowest(comparison, best, -1) : -1;
}

static void why_print_bottleneck(FILE *to, const struct terminal *terminal,
    const struct comparison *comparison, const struct compare_mode *best)
{
	int slowest = why_slowest(comparison, best, -1);
	if (slowest < 0)
		return;
	const struct compare_run *run = comparison_median_run(best);
	const char *about = comparison_has_command(comparison, run) ? "about " : "";
	char time[TERMINAL_TIME_MAX];
	double pace = why_pace(comparison, best, run, (size_t)slowest);
	fprintf(to, "bottleneck: %s, %s%s a record", comparison->names[slowest], about,
	    terminal_time(time, terminal, pace));
	int next = why_slowest(comparison, best, slowest);
	if (next >= 0) {
		double next_pace = why_pace(comparison, best, run, (size_t)next);
		fprintf(to, "; %s %s, %s", pace < 1.05 * next_pace ? "closely followed by" : "next",
		    comparison->names[next], terminal_time(time, terminal, next_pace));
	}
	double ratio = comparison_median(comparison, best, compare_ratio);
	if (isfinite(ratio) && ratio < 1.5)
		fprintf(to, "; %s took %s%.1f %% more than the bound", best->name, about,
		    fmax(0, 100 * (ratio - 1)));
	fputs(".\n", to);
}

/* Other good modes that are no slower, as far as can be told. */
static void why_print_equals(
    FILE *to, const struct comparison *comparison, const struct compare_mode *best)
{
	bool any = false;
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		if (mode == best || !comparison_is_good(mode) || mode->differs ||
		    comparison_tell_apart(comparison, best, mode))
			continue;
		fprintf(to, "%s%s", any ? ", " : "; as fast: ", mode->name);
		any = true;
	}
	if (any)
		fprintf(to, " (within %s)", why_chance(comparison));
}

static bool why_any_differs(const struct comparison *comparison)
{
	bool any = false;
	for (size_t i = 0; i < comparison->n_modes; i++)
		any |= comparison->modes[i].differs;
	return any;
}

static void why_print_best(FILE *to, const struct terminal *terminal,
    const struct comparison *comparison, const struct compare_mode *best)
{
	const struct compare_mode *base = comparison_base(comparison);
	char time[TERMINAL_TIME_MAX];
	double wall = comparison_median(comparison, best, compare_wall);
	fprintf(to, "best: %s, %s", best->name, terminal_time(time, terminal, wall));
	if (best != base && comparison_tell_apart(comparison, best, base))
		fprintf(to, ", %.2f times as fast as %s", comparison_speedup(comparison, best),
		    base->name);
	else if (best == base && comparison->n_modes > 1)
		fprintf(to, ", no other mode%s was faster",
		    why_any_differs(comparison) ? " with the same output" : "");
	why_print_equals(to, comparison, best);
	fputs(".\n", to);
}

void compare_print_why(
    FILE *to, const struct terminal *terminal, const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->n_modes; i++) {
		const struct compare_mode *mode = &comparison->modes[i];
		if (!comparison_is_good(mode))
			continue;
		fprintf(to, "%s: ", mode->name);
		compare_print_reason(to, terminal, comparison, mode);
		fputc('\n', to);
	}
	const struct compare_mode *best = comparison_best(comparison);
	if (!best)
		return;
	why_print_bottleneck(to, terminal, comparison, best);
	why_print_best(to, terminal, comparison, best);
}
