/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a comparison: this very program, executed as `leat run`, with what
 * it used.
 */
#ifndef COMPARE_RUN_H
#define COMPARE_RUN_H

#include "comparison.h"

/* What all runs have in common. Everything is borrowed; a string may be NULL: not given. */
struct compare_job {
	int input_fd; /* reopened for each run */
	uint64_t input_offset;
	const char *frame;
	const char *max_record;
	const char *memory;
	const char *python;
	const char *const *stages;
	size_t n_stages;
};

/*
 * Runs the job in a mode, with its output in a file without a name, and fills in
 * what the kernel says of the run; its trace is left in trace_fd.
 * Returns 0, with the exit status as a shell gives it and the output to close(),
 * or -errno if it could not be run.
 */
int compare_run(const struct compare_job *job, const char *mode, struct compare_run *run,
    int *ret_status, int *ret_output_fd);

#endif
