/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `leat compare` has measured: modes x rounds x stages, and what follows
 * from it by arithmetic. Filled by compare.c, read by the writers in
 * compare_print.h, which measure nothing and so can be tested by hand.
 */
#ifndef COMPARISON_H
#define COMPARISON_H

#include <leat/pipeline.h>

#include "records.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMPARISON_MODES_MAX 5

/* A batch in a stage's function, or the life of a stage's command. Times from the run's spawn. */
struct compare_span {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t first_record;
	uint32_t records; /* 0: a command */
	uint32_t stage;
};

/* One stage in one run. Times are sums over the run. */
struct compare_stage {
	uint64_t calls;	  /* records that its function took; unknown, 0, of a command */
	uint64_t wall_ns; /* inside the calls; of a command, its processes' life */
	uint64_t cpu_ns;  /* inside the calls; of a command, user and system */
	bool is_command;
	bool has_io; /* of a command: the two below are known */
	uint64_t read_bytes;
	uint64_t written_bytes;
};

struct compare_run {
	uint64_t spawn_ns; /* the clock when it started */
	int trace_fd;	   /* owned; -1: none */
	uint64_t wall_ns;  /* spawn to exit */
	uint64_t user_ns;
	uint64_t sys_ns;
	uint64_t peak_bytes;
	uint64_t preemptions; /* involuntary context switches */
	uint64_t startup_ns;  /* spawn to the first call; UINT64_MAX: no call seen */
	uint64_t busy_ns;     /* at least one stage was in a call */
	uint64_t overlap_ns;  /* at least two were */
	uint64_t python_ns;   /* at least one Python stage was in a call */
	struct compare_stage *stages;
	struct compare_span *spans; /* by start; kept of the median round only */
	size_t n_spans;
};

struct compare_mode {
	const char *name;
	int status; /* of the run that failed, as a shell would give it; 0: none did */
	bool differs;
	struct records_difference difference; /* from the reference's output */
	struct compare_run *runs;
	size_t n_runs; /* that went well */
};

struct comparison {
	const char *const *specs; /* the stages as the user wrote them, borrowed */
	char **names;
	bool *is_python;
	size_t n_stages;
	struct compare_mode modes[COMPARISON_MODES_MAX];
	size_t n_modes;
	size_t rounds;
	unsigned cores;
	enum leat_frame frame;
	uint64_t records; /* of the source */
	int reference;	  /* the mode that gave the output the others must equal; -1: none */
	struct records_total output; /* the reference's */
};

/* Returns 0 or -ENOMEM; comparison_fini() either way. */
int comparison_init(struct comparison *comparison, const char *const *specs, size_t n_stages);
void comparison_fini(struct comparison *comparison);

/* Names a stage, which until then is called by its text. Returns 0 or -ENOMEM. */
int comparison_name(struct comparison *comparison, size_t stage, const char *name);

/* Whether a stage's text is FILE:FUNCTION with this ending of the file's name, colon included. */
bool comparison_is_function(const char *spec, const char *ending);

/* Room for one more run of a mode; NULL: out of memory. */
struct compare_run *comparison_add(const struct comparison *comparison, struct compare_mode *mode);

/* Takes the last one back. */
void comparison_drop(struct compare_mode *mode);

/* A number taken from one run; NAN where it cannot be known. Times in seconds. */
typedef double compare_measure(const struct comparison *comparison, const struct compare_run *run);

compare_measure compare_wall;
compare_measure compare_user;
compare_measure compare_sys;
compare_measure compare_load; /* cores kept busy: cpu time by wall time */
compare_measure compare_peak; /* bytes */
compare_measure compare_startup;
compare_measure compare_bound; /* the wall of an ideal pipeline of the same calls */
compare_measure compare_ratio; /* wall by bound */

/* Cpu that a source record cost in a stage. */
double compare_cost(
    const struct comparison *comparison, const struct compare_run *run, size_t stage);

/* Over the mode's rounds. */
double comparison_median(
    const struct comparison *comparison, const struct compare_mode *mode, compare_measure *measure);

/* Half of the distance between the longest and the shortest round's wall. */
double comparison_spread(const struct compare_mode *mode);

/* The round whose wall is the median; the mode must have a run. */
struct compare_run *comparison_median_run(const struct compare_mode *mode);

/* It has run, and never failed. */
bool comparison_is_good(const struct compare_mode *mode);

/* What the others are measured by: single, or else the first good mode; NULL: all failed. */
const struct compare_mode *comparison_base(const struct comparison *comparison);

/* The base's median wall by this mode's. */
double comparison_speedup(const struct comparison *comparison, const struct compare_mode *mode);

/*
 * Whether two modes' walls differ by more than chance: by their spreads, or with
 * a single round by 2 %.
 */
bool comparison_tell_apart(const struct comparison *comparison, const struct compare_mode *one,
    const struct compare_mode *other);

/* The fastest of the good modes whose output is the reference's; NULL: none. */
const struct compare_mode *comparison_best(const struct comparison *comparison);

/* A stage that is a command, so that its bound is an estimate. */
bool comparison_has_command(const struct comparison *comparison, const struct compare_run *run);

#endif
