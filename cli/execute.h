/* SPDX-License-Identifier: Apache-2.0 */
/* From options and stages to a run and its exit status; for `run` and `stage`. */
#ifndef EXECUTE_H
#define EXECUTE_H

#include "workers.h"

#include <leat/pipeline.h>

#include <stdbool.h>

struct execute {
	struct leat_options options;
	struct workers workers;
	const char *in_path; /* NULL: stdin */
	const char *out_path;
	bool dry_run; /* print the shell's line only */
};

/* Returns the exit status; every failure is a line on stderr. */
int execute_chain(struct execute *execute, char **stages, int n_stages);

/* Prints a help text to stdout; returns the exit status. */
int execute_help(const char *text);

#endif
