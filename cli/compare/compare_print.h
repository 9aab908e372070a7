/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The faces of a comparison: tables, timelines, sentences and JSON. They return
 * 0 or -ENOMEM; errors of the stream are left to its owner.
 */
#ifndef COMPARE_PRINT_H
#define COMPARE_PRINT_H

#include "comparison.h"
#include "terminal.h"

#include <jansson.h>
#include <stdio.h>

/* compare_table.c: a row a mode, then a row a stage and mode. */
int compare_print_table(
    FILE *to, const struct terminal *terminal, const struct comparison *comparison);

/* compare_table.c: whether all modes gave the same. */
void compare_print_outputs(FILE *to, const struct comparison *comparison);

/* compare_timeline.c: the median rounds, all on one time scale. */
int compare_print_timeline(
    FILE *to, const struct terminal *terminal, const struct comparison *comparison);

/* compare_why.c: a sentence a good mode, the bottleneck, the best mode; a line each. */
void compare_print_why(
    FILE *to, const struct terminal *terminal, const struct comparison *comparison);

/* compare_why.c: why a good mode took as long as it did, without the mode's name. */
void compare_print_reason(FILE *to, const struct terminal *terminal,
    const struct comparison *comparison, const struct compare_mode *mode);

/* compare_why.c: the stage that sets the best mode's pace; -1: none is known. */
int compare_bottleneck(const struct comparison *comparison);

/*
 * compare_json.c. A number that cannot be known is null; times are in seconds
 * from the run's spawn.
 *
 *	leat		the program's version
 *	records		of the source
 *	rounds, cores
 *	frame		"newline", "nul" or "u32"
 *	stages[]	name, spec, python (whether it is a Python function)
 *	outputs		identical, reference (a mode's name), bytes, records
 *	best		the fastest mode's name
 *	bottleneck	a stage's name
 *	modes[]
 *	  mode		its name
 *	  status	0, or the exit status of the run that failed
 *	  difference	null, or where its output parts from the reference's:
 *			record (from 1), byte (from 0)
 *	  median	over the rounds: wall_s, spread_s, user_s, sys_s, load (cores
 *			kept busy), peak_bytes, startup_s, bound_s, bound_estimated,
 *			ratio, speedup
 *	  why		the sentence
 *	  runs[]	a round each: wall_s, user_s, sys_s, peak_bytes, preemptions,
 *			startup_s, bound_s, ratio, busy_s, overlap_s, and
 *	    stages[]	calls, wall_s, cpu_s, command (whether it was one)
 *	  median_run	index of the round whose wall is the median
 *	  timeline[]	of that round, by start: [stage's index, start, end, first
 *			record, records]; records is 0 for a command's life
 *	  timeline_left_out	how many entries were too many
 *
 * NULL: out of memory.
 */
json_t *compare_json(const struct comparison *comparison);

#endif
