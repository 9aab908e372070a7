/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of `leat compare`.
 */
#ifndef COMPARE_OPTIONS_H
#define COMPARE_OPTIONS_H

#include "compare_run.h"

/* Strings are the arguments' own or constants. */
struct compare_options {
	struct compare_job job; /* without its input */
	const char *input;	/* NULL: stdin */
	const char *json;	/* NULL: none; "-": stdout */
	const char *modes[COMPARISON_MODES_MAX];
	size_t n_modes;
	size_t rounds;
	enum leat_frame frame;
};

/*
 * Returns 1 to go on; 0 to end with *ret_status, when everything is said: help was
 * asked for, or something was wrong.
 */
int compare_options_parse(
    int argc, char **argv, struct compare_options *ret_options, int *ret_status);

#endif
