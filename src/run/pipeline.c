/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of <leat/pipeline.h>. */
#include <leat/pipeline.h>

#include "clock.h"
#include "config.h"
#include "crash_handler.h"
#include "failure.h"
#include "run.h"
#include "shell_command_line.h"
#include "trace_events.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct leat_pipeline {
	struct leat_options options;
	struct stage_spec specs[REGION_STAGES_MAX];
	uint32_t n_specs;
	struct run *stuck; /* an ended run that a thread is stuck in: nothing may be freed */
	struct leat_pipeline *next_stuck;
};

/* What stuck threads still use stays reachable, so that a leak checker knows of it. */
static struct leat_pipeline *pipeline_stuck;

const char *leat_version(void)
{
	return CONFIG_VERSION;
}

struct leat_pipeline *leat_pipeline_new(const struct leat_options *options)
{
	struct leat_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (pipeline)
		pipeline->options = *options;
	return pipeline;
}

struct leat_pipeline *leat_pipeline_free(struct leat_pipeline *pipeline)
{
	if (!pipeline || pipeline->stuck)
		return NULL;
	for (uint32_t i = 0; i < pipeline->n_specs; i++)
		stage_spec_free(&pipeline->specs[i]);
	free(pipeline);
	return NULL;
}

static bool pipeline_has_name(const struct leat_pipeline *pipeline, const char *name)
{
	for (uint32_t i = 0; i < pipeline->n_specs; i++) {
		if (strcmp(pipeline->specs[i].name, name) == 0)
			return true;
	}
	return false;
}

/* A name tells one stage: the second `sort` of a chain is called sort#2. */
static int pipeline_name(
    const struct leat_pipeline *pipeline, struct stage_spec *spec, struct leat_error *reterr)
{
	if (!pipeline_has_name(pipeline, spec->name))
		return 0;
	if (spec->named)
		return failure(
		    reterr, LEAT_CANNOT_START, -EINVAL, "two stages are named '%s'", spec->name);
	for (unsigned n = 2;; n++) {
		char *name = NULL;
		if (asprintf(&name, "%.55s#%u", spec->name, n) < 0)
			return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
		if (pipeline_has_name(pipeline, name)) {
			free(name);
			continue;
		}
		stage_spec_rename(spec, name);
		return 0;
	}
}

int leat_pipeline_add(struct leat_pipeline *pipeline, const char *text, struct leat_error *reterr)
{
	struct stage_spec spec = {0};
	if (pipeline->n_specs == REGION_STAGES_MAX)
		return failure(reterr, LEAT_CANNOT_START, -EINVAL, "a chain has at most %d stages",
		    REGION_STAGES_MAX);
	int r = stage_spec_parse(text, &spec, reterr);
	if (r == 0)
		r = pipeline_name(pipeline, &spec, reterr);
	if (r < 0)
		stage_spec_free(&spec);
	else
		pipeline->specs[pipeline->n_specs++] = spec;
	return r;
}

size_t leat_pipeline_stages(const struct leat_pipeline *pipeline)
{
	return pipeline->n_specs;
}

const char *leat_pipeline_stage_name(const struct leat_pipeline *pipeline, size_t stage)
{
	return stage < pipeline->n_specs ? pipeline->specs[stage].name : NULL;
}

/* A message lists the names that there are, as far as it has room. */
static int pipeline_no_such(
    const struct leat_pipeline *pipeline, const char *name, struct leat_error *reterr)
{
	char names[sizeof(reterr->text)] = "";
	size_t size = 0;
	for (uint32_t i = 0; i < pipeline->n_specs && size < sizeof(names); i++)
		size += (size_t)snprintf(names + size, sizeof(names) - size, "%s%s",
		    i > 0 ? ", " : "", pipeline->specs[i].name);
	return failure(reterr, LEAT_CANNOT_START, -EINVAL,
	    "there is no stage named '%s'; there %s: %s", name,
	    pipeline->n_specs == 1 ? "is" : "are", names);
}

static int pipeline_find(struct leat_pipeline *pipeline, const char *name,
    struct stage_spec **ret_spec, struct leat_error *reterr)
{
	for (uint32_t i = 0; i < pipeline->n_specs; i++) {
		struct stage_spec *spec = &pipeline->specs[i];
		if (strcmp(spec->name, name) != 0)
			continue;
		if (spec->kind == STAGE_COMMAND)
			return failure(reterr, LEAT_CANNOT_START, -EINVAL,
			    "stage '%s' is a command: the whole stream goes through one process",
			    name);
		*ret_spec = spec;
		return 0;
	}
	return pipeline_no_such(pipeline, name, reterr);
}

static int pipeline_contradiction(const struct stage_spec *spec, struct leat_error *reterr)
{
	char number[16] = "auto";
	if (spec->workers != LEAT_WORKERS_AUTO)
		snprintf(number, sizeof(number), "%u", spec->workers);
	return failure(reterr, LEAT_CANNOT_START, -EINVAL,
	    "stage '%s' cannot be serial and have %s workers", spec->name, number);
}

int leat_pipeline_workers(
    struct leat_pipeline *pipeline, const char *name, unsigned n, struct leat_error *reterr)
{
	struct stage_spec *spec = NULL;
	int r = pipeline_find(pipeline, name, &spec, reterr);
	if (r < 0)
		return r;
	spec->workers = n;
	return spec->serial && n > 1 ? pipeline_contradiction(spec, reterr) : 0;
}

int leat_pipeline_serial(
    struct leat_pipeline *pipeline, const char *name, struct leat_error *reterr)
{
	struct stage_spec *spec = NULL;
	int r = pipeline_find(pipeline, name, &spec, reterr);
	if (r < 0)
		return r;
	spec->serial = true;
	return spec->workers > 1 ? pipeline_contradiction(spec, reterr) : 0;
}

/* What is asked for and could not have any effect is a mistake of the user's. */
static int pipeline_check_options(const struct leat_pipeline *pipeline, struct leat_error *reterr)
{
	const struct leat_options *options = &pipeline->options;
	struct leat_options defaults = leat_options_default();
	bool takes_records = false;
	bool is_batch = false;
	bool is_stream = true;
	for (uint32_t i = 0; i < pipeline->n_specs; i++) {
		enum stage_kind kind = pipeline->specs[i].kind;
		takes_records |= region_kind_is_command(kind);
		is_batch |= kind == STAGE_BATCH;
		is_stream &= kind == STAGE_COMMAND;
	}
	const char *none = NULL;
	if (options->timeout_s != defaults.timeout_s && !takes_records)
		none = "--timeout is for line:, batch: and each: commands, and there is none";
	else if (options->stall_s != defaults.stall_s && !takes_records)
		none = "--stall is for line:, batch: and each: commands, and there is none";
	else if ((options->batch_records > 0 || options->batch_bytes != defaults.batch_bytes) &&
		 !is_batch)
		none = "--batch is for batch: commands, and there is none";
	else if (options->jobs > 0 && is_stream)
		none = "--jobs has no effect: the whole stream goes through one process of each "
		       "command; line:, batch: and each: commands can have several";
	return none ? failure(reterr, LEAT_CANNOT_START, -EINVAL, "%s", none) : 0;
}

static int pipeline_resolve(struct leat_pipeline *pipeline, struct leat_error *reterr)
{
	if (pipeline->n_specs == 0)
		return failure(reterr, LEAT_CANNOT_START, -EINVAL, "no stage is named");
	int checked = pipeline_check_options(pipeline, reterr);
	if (checked < 0)
		return checked;
	for (uint32_t i = 0; i < pipeline->n_specs; i++) {
		int r = stage_spec_resolve(&pipeline->specs[i], reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static void pipeline_trace_names(const struct leat_pipeline *pipeline)
{
	const struct leat_options *options = &pipeline->options;
	for (uint32_t i = 0; options->trace_fd >= 0 && i < pipeline->n_specs; i++)
		trace_events_stage(
		    options->trace_fd, options->trace_stage + i, pipeline->specs[i].name);
}

/* The last event. A disk that is full by now tells here that the trace is not whole. */
static void pipeline_trace_self(const struct leat_pipeline *pipeline, uint64_t start_ns)
{
	const struct leat_options *options = &pipeline->options;
	struct rusage usage;
	if (options->trace_fd < 0 || getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	int r = trace_events_process(options->trace_fd, TRACE_NO_STAGE, false, (uint32_t)getpid(),
	    start_ns, clock_wall_ns(), &usage, NULL);
	char text[128];
	snprintf(text, sizeof(text), "the trace cannot be written: %s", strerror(-r));
	if (r < 0 && options->notice && !options->filter)
		options->notice(options->notice_context, LEAT_WARNING, text);
}

static void pipeline_go(const struct leat_pipeline *pipeline, struct run *run)
{
	pipeline_trace_names(pipeline);
	crash_handler_watch();
	run_go(run);
	run_close(run);
	/* Threads that are stuck in a stage may crash still. */
	if (!run->abandoned)
		crash_handler_unwatch();
}

int leat_pipeline_run(struct leat_pipeline *pipeline, struct leat_error *reterr)
{
	struct leat_error error = {0};
	uint64_t start_ns = clock_wall_ns();
	/* Where it is ignored, the kernel would keep how children end to itself. */
	void (*child_before)(int) = signal(SIGCHLD, SIG_DFL);
	struct run *run = calloc(1, sizeof(*run));
	int r = run ? pipeline_resolve(pipeline, &error)
		    : failure(&error, LEAT_STOPPED, -ENOMEM, "out of memory");
	if (r == 0) {
		r = run_open(run, &pipeline->options, pipeline->specs, pipeline->n_specs, &error);
		if (r == 0)
			pipeline_go(pipeline, run);
		else
			run_close(run);
	}
	if (r == 0) {
		pipeline_trace_self(pipeline, start_ns);
		error = run->error;
	}
	if (run && run->abandoned) {
		pipeline->stuck = run;
		pipeline->next_stuck = pipeline_stuck;
		pipeline_stuck = pipeline;
	} else {
		free(run);
	}
	signal(SIGCHLD, child_before);
	if (error.status != LEAT_OK)
		*reterr = error;
	return error.status;
}

int leat_pipeline_shell_line(const struct leat_pipeline *pipeline, const char *in_path,
    const char *out_path, char **ret_line, struct leat_error *reterr)
{
	if (pipeline->n_specs == 0)
		return failure(reterr, LEAT_CANNOT_START, -EINVAL, "no stage is named");
	char *line = shell_command_line_line(
	    &pipeline->options, pipeline->specs, pipeline->n_specs, in_path, out_path);
	if (!line)
		return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
	*ret_line = line;
	return 0;
}
