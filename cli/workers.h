/* SPDX-License-Identifier: Apache-2.0 */
/* The options that say how many workers run which stage; for `run` and `stage`. */
#ifndef WORKERS_H
#define WORKERS_H

#include "options.h"

#define WORKERS_MAX 64

/* Collected while options are read, as the stages are not known yet. Strings are borrowed. */
struct workers {
	const char *counts[WORKERS_MAX]; /* NAME=N, NAME=auto */
	unsigned n_counts;
	const char *serial[WORKERS_MAX]; /* NAME */
	unsigned n_serial;
};

enum workers_option {
	WORKERS_JOBS = 'j',
	WORKERS_COUNT = 'w',
	WORKERS_SERIAL = OPTION_OWN,
	WORKERS_UNORDERED,
};

#define WORKERS_LETTERS "j:w:"

#define WORKERS_OPTIONS                                                                            \
	{"jobs", required_argument, NULL, WORKERS_JOBS},                                           \
	    {"workers", required_argument, NULL, WORKERS_COUNT},                                   \
	    {"serial", required_argument, NULL, WORKERS_SERIAL},                                   \
	{                                                                                          \
		"unordered", no_argument, NULL, WORKERS_UNORDERED                                  \
	}

#define WORKERS_HELP                                                                               \
	"  -j, --jobs N           N workers, each able to run every stateless stage; the\n"        \
	"                         order is kept. It says that functions are stateless: a\n"        \
	"                         result does not depend on earlier records. A class of\n"         \
	"                         Python never is. auto: as many as are of use, up to\n"           \
	"                         the cores, decided again and again during the run\n"             \
	"  -w, --workers NAME=N   N workers, or auto, for that stage alone\n"                      \
	"      --serial NAME      that stage takes one record at a time, in order\n"               \
	"      --unordered        records may leave in another order than they came\n"

/*
 * Takes one option, of these or of the shared ones. Returns 0, or -EINVAL with a line
 * on stderr.
 */
int workers_take(struct workers *workers, struct leat_options *options, const char *command, int id,
    const char *value);

/* Tells the pipeline, whose stages are all added. Returns 0 or -EINVAL, error written. */
int workers_apply(
    const struct workers *workers, struct leat_pipeline *pipeline, struct leat_error *reterr);

#endif
