/* SPDX-License-Identifier: Apache-2.0 */
#include "workers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_JOBS_MAX 256

/* Returns the number, or 0 for anything but `auto` and the numbers to WORKERS_JOBS_MAX. */
static unsigned workers_number(const char *text)
{
	if (strcmp(text, "auto") == 0)
		return LEAT_WORKERS_AUTO;
	char *end = NULL;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	bool plain = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
	return plain && n <= WORKERS_JOBS_MAX ? (unsigned)n : 0;
}

/* Where the number of NAME=N begins; NULL if there is none. */
static const char *workers_count(const char *value)
{
	const char *equals = strrchr(value, '=');
	return equals && equals != value && workers_number(equals + 1) ? equals + 1 : NULL;
}

static int workers_add(
    const char **list, unsigned *n, const char *command, const char *option, const char *value)
{
	if (*n == WORKERS_MAX)
		return options_error(command, "%s: more than %d of them", option, WORKERS_MAX);
	list[(*n)++] = value;
	return 0;
}

int workers_take(struct workers *workers, struct leat_options *options, const char *command, int id,
    const char *value)
{
	switch (id) {
	case WORKERS_JOBS:
		options->jobs = workers_number(value);
		if (options->jobs == 0)
			return options_error(command,
			    "--jobs is a number from 1 to %d or auto, not '%s'", WORKERS_JOBS_MAX,
			    value);
		return 0;
	case WORKERS_COUNT:
		if (!workers_count(value))
			return options_error(command,
			    "--workers is NAME=N, as in mul=4, or NAME=auto, not '%s'", value);
		return workers_add(
		    workers->counts, &workers->n_counts, command, "--workers", value);
	case WORKERS_SERIAL:
		return workers_add(workers->serial, &workers->n_serial, command, "--serial", value);
	case WORKERS_UNORDERED:
		options->unordered = 1;
		return 0;
	default:
		return options_take(options, command, id, value);
	}
}

int workers_apply(
    const struct workers *workers, struct leat_pipeline *pipeline, struct leat_error *reterr)
{
	for (unsigned i = 0; i < workers->n_counts; i++) {
		const char *count = workers_count(workers->counts[i]);
		char *name = strndup(workers->counts[i], (size_t)(count - 1 - workers->counts[i]));
		int r = name ? leat_pipeline_workers(pipeline, name, workers_number(count), reterr)
			     : -ENOMEM;
		free(name);
		if (r == -ENOMEM)
			*reterr = (struct leat_error){LEAT_STOPPED, "out of memory"};
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < workers->n_serial; i++) {
		int r = leat_pipeline_serial(pipeline, workers->serial[i], reterr);
		if (r < 0)
			return r;
	}
	return 0;
}
