/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leat compare: the same stages on the same input under every mode.
 */
#include "command.h"
#include "compare_digest.h"
#include "compare_options.h"
#include "compare_print.h"
#include "compare_run.h"
#include "interrupt.h"
#include "tempfile.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct compare {
	struct compare_options options;
	struct comparison result;
	FILE *json;	  /* NULL: none */
	int reference_fd; /* the output that the others must equal; -1: none yet */
};

/* The status of a run that something stopped; a signal's first. */
static int compare_fail(int code, const char *what, const char *name)
{
	int signo = interrupt_caught();
	if (signo)
		return signo == SIGINT ? LEAT_INTERRUPTED : LEAT_TERMINATED;
	if (code == -EPIPE)
		return LEAT_READER_GONE;
	fprintf(stderr, "leat compare: %s%s: %s\n", what, name, strerror(-code));
	return LEAT_STOPPED;
}

static void compare_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Stages are called what a run calls them; a text that names no stage ends it here. */
static int compare_name_stages(struct compare *compare)
{
	const struct compare_job *job = &compare->options.job;
	struct leat_options options = leat_options_default();
	struct leat_error error = {0};
	struct leat_pipeline *pipeline = leat_pipeline_new(&options);
	int r = pipeline ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < job->n_stages; i++) {
		r = leat_pipeline_add(pipeline, job->stages[i], &error);
		if (r == 0)
			r = comparison_name(
			    &compare->result, i, leat_pipeline_stage_name(pipeline, i));
	}
	leat_pipeline_free(pipeline);
	if (r == 0)
		return LEAT_OK;
	if (!error.text[0])
		return compare_fail(r, "cannot start", "");
	fprintf(stderr, "leat compare: %s\n", error.text);
	return error.status;
}

/* Makes sure that `fd` can be reopened and read from the same place again and again. */
static int compare_keep_input(struct compare_job *job, int fd)
{
	char path[32];
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	off_t offset = lseek(fd, 0, SEEK_CUR);
	if (!S_ISREG(st.st_mode) || offset < 0 || access(path, R_OK) < 0) {
		job->input_fd = tempfile_copy(fd);
		return job->input_fd < 0 ? job->input_fd : 0;
	}
	job->input_fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	job->input_offset = (uint64_t)offset;
	return job->input_fd < 0 ? -errno : 0;
}

static int compare_open_input(struct compare *compare)
{
	const char *path = compare->options.input;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	int r = fd < 0 ? -errno : compare_keep_input(&compare->options.job, fd);
	if (path)
		compare_close(fd);
	struct records_total total = {0};
	if (r >= 0)
		r = records_count(compare->options.job.input_fd, compare->options.job.input_offset,
		    compare->options.frame, &total);
	compare->result.records = total.records;
	if (r >= 0)
		return LEAT_OK;
	int status = compare_fail(r, "cannot read ", path ? path : "stdin");
	return status == LEAT_STOPPED ? LEAT_CANNOT_START : status;
}

static int compare_open_json(struct compare *compare)
{
	const char *path = compare->options.json;
	if (!path)
		return LEAT_OK;
	compare->json = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (compare->json)
		return LEAT_OK;
	compare_fail(-errno, "cannot write ", path);
	return LEAT_CANNOT_START;
}

/* A line that is overwritten by the next, and by what a run has to say. */
static void compare_progress(const struct compare *compare, size_t round, const char *mode)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (mode)
		fprintf(
		    stderr, "\033[Kround %zu/%zu %s...\r", round + 1, compare->result.rounds, mode);
	else
		fputs("\033[K", stderr);
}

/* Keeps the first output, and compares each later one with it. */
static int compare_check_output(struct compare *compare, struct compare_mode *mode, int output_fd)
{
	struct comparison *result = &compare->result;
	int r = 0;
	if (compare->reference_fd < 0) {
		compare->reference_fd = output_fd;
		result->reference = (int)(mode - result->modes);
		return records_count(output_fd, 0, result->frame, &result->output);
	}
	if (!mode->differs) {
		r = records_compare(
		    compare->reference_fd, output_fd, result->frame, &mode->difference);
		mode->differs = r == 0;
	}
	close(output_fd);
	return r;
}

static int compare_read_trace(struct comparison *result, struct compare_run *run)
{
	struct trace_event *events = NULL;
	size_t n = 0;
	int r = trace_read(run->trace_fd, &events, &n);
	if (r == 0)
		r = compare_digest(result, run, events, n);
	free(events);
	return r;
}

/* A run has failed: to be noted, or a reason to stop everything. */
static int compare_note_failure(struct compare_mode *mode, int status)
{
	int signo = interrupt_caught();
	if (signo == SIGINT || status == LEAT_INTERRUPTED)
		return LEAT_INTERRUPTED;
	if (signo || status == LEAT_TERMINATED)
		return LEAT_TERMINATED;
	fprintf(stderr, "leat compare: mode %s failed with exit status %d\n", mode->name, status);
	mode->status = status;
	return status == LEAT_CANNOT_START ? LEAT_CANNOT_START : LEAT_OK;
}

static int compare_one(struct compare *compare, struct compare_mode *mode)
{
	struct comparison *result = &compare->result;
	struct compare_run *run = comparison_add(result, mode);
	if (!run)
		return compare_fail(-ENOMEM, "mode ", mode->name);
	int status = LEAT_OK;
	int output_fd = -1;
	int r = compare_run(&compare->options.job, mode->name, run, &status, &output_fd);
	if (r < 0 || status != LEAT_OK || interrupt_caught()) {
		compare_close(output_fd);
		comparison_drop(mode);
		return r < 0 ? compare_fail(r, "cannot run mode ", mode->name)
			     : compare_note_failure(mode, status);
	}
	r = compare_check_output(compare, mode, output_fd);
	if (r >= 0)
		r = compare_read_trace(result, run);
	/* Many calls take much memory: only the median rounds' are read again. */
	free(run->spans);
	run->spans = NULL;
	run->n_spans = 0;
	return r < 0 ? compare_fail(r, "mode ", mode->name) : LEAT_OK;
}

/* The modes take turns, and who begins changes, so that a drift of the machine hits all. */
static int compare_all(struct compare *compare)
{
	struct comparison *result = &compare->result;
	for (size_t i = 0; i < compare->options.n_modes; i++)
		result->modes[result->n_modes++].name = compare->options.modes[i];
	for (size_t round = 0; round < result->rounds; round++) {
		for (size_t turn = 0; turn < result->n_modes; turn++) {
			struct compare_mode *mode =
			    &result->modes[(round + turn) % result->n_modes];
			if (mode->status)
				continue;
			compare_progress(compare, round, mode->name);
			int status = compare_one(compare, mode);
			compare_progress(compare, round, NULL);
			if (status != LEAT_OK)
				return status;
		}
	}
	return LEAT_OK;
}

/* What is compiled at first use would cost the first mode that time: a run without input. */
static int compare_warm_up(struct compare *compare)
{
	struct comparison *result = &compare->result;
	const char **sources = calloc(result->n_stages + 1, sizeof(*sources));
	struct compare_job job = compare->options.job;
	struct compare_run run = {.trace_fd = -1};
	int status = LEAT_OK;
	int output_fd = -1;
	job.stages = sources;
	job.n_stages = 0;
	for (size_t i = 0; sources && i < result->n_stages; i++) {
		if (comparison_is_function(result->specs[i], ".c:"))
			sources[job.n_stages++] = result->specs[i];
	}
	job.input_fd = tempfile_open();
	job.input_offset = 0;
	int r = sources ? job.input_fd : -ENOMEM;
	if (r >= 0 && job.n_stages > 0)
		r = compare_run(&job, "threads", &run, &status, &output_fd);
	compare_close(job.input_fd);
	compare_close(output_fd);
	compare_close(run.trace_fd);
	free(sources);
	if (interrupt_caught() || r < 0)
		return compare_fail(r, "cannot start", "");
	return status;
}

static int compare_load_timelines(struct comparison *result)
{
	for (size_t i = 0; i < result->n_modes; i++) {
		struct compare_mode *mode = &result->modes[i];
		if (!comparison_is_good(mode))
			continue;
		int r = compare_read_trace(result, comparison_median_run(mode));
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_print(const struct compare *compare)
{
	const struct comparison *result = &compare->result;
	FILE *to = compare->json == stdout ? stderr : stdout;
	struct terminal terminal = terminal_describe(fileno(to));
	int r = compare_print_table(to, &terminal, result);
	if (r == 0 && comparison_base(result)) {
		fputc('\n', to);
		r = compare_print_timeline(to, &terminal, result);
		fputc('\n', to);
		compare_print_why(to, &terminal, result);
		compare_print_outputs(to, result);
	}
	if (r < 0)
		return r;
	if (fflush(to) == 0 && !ferror(to))
		return 0;
	return errno ? -errno : -EIO;
}

static int compare_write_json(const struct compare *compare)
{
	if (!compare->json)
		return 0;
	json_t *report = compare_json(&compare->result);
	if (!report)
		return -ENOMEM;
	int r = json_dumpf(report, compare->json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	json_decref(report);
	if (r == 0 && fputc('\n', compare->json) >= 0 && fflush(compare->json) == 0)
		return 0;
	return errno ? -errno : -EIO;
}

static int compare_present(struct compare *compare)
{
	int r = compare_load_timelines(&compare->result);
	if (r < 0)
		return compare_fail(r, "cannot read a trace", "");
	r = compare_print(compare);
	if (r < 0)
		return compare_fail(r, "cannot write the table", "");
	r = compare_write_json(compare);
	if (r < 0)
		return compare_fail(r, "cannot write ", compare->options.json);
	for (size_t i = 0; i < compare->result.n_modes; i++) {
		const struct compare_mode *mode = &compare->result.modes[i];
		if (mode->status || mode->differs)
			return LEAT_STOPPED;
	}
	return LEAT_OK;
}

static int compare_main(int argc, char **argv)
{
	struct compare compare = {.reference_fd = -1};
	int status;
	if (!compare_options_parse(argc, argv, &compare.options, &status))
		return status;
	setlocale(LC_CTYPE, "");
	interrupt_watch();
	compare.options.job.input_fd = -1;
	int r = comparison_init(
	    &compare.result, compare.options.job.stages, compare.options.job.n_stages);
	compare.result.rounds = compare.options.rounds;
	compare.result.frame = compare.options.frame;
	status = r < 0 ? compare_fail(r, "cannot start", "") : LEAT_OK;
	if (status == LEAT_OK)
		status = compare_name_stages(&compare);
	if (status == LEAT_OK)
		status = compare_open_input(&compare);
	if (status == LEAT_OK)
		status = compare_open_json(&compare);
	if (status == LEAT_OK)
		status = compare_warm_up(&compare);
	if (status == LEAT_OK)
		status = compare_all(&compare);
	if (status == LEAT_OK)
		status = compare_present(&compare);
	if (compare.json && compare.json != stdout)
		fclose(compare.json);
	compare_close(compare.reference_fd);
	compare_close(compare.options.job.input_fd);
	comparison_fini(&compare.result);
	return status;
}

const struct command compare_command = {
    "compare", "run the same stages in every mode and say which wins and why", compare_main};
