/* SPDX-License-Identifier: Apache-2.0 */
#include "execute.h"

#include "standard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int execute_help(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return LEAT_OK;
	perror("leat: stdout");
	return LEAT_STOPPED;
}

static void execute_notice(void *context, enum leat_notice notice, const char *text)
{
	(void)context;
	/* A hint comes when somebody has pressed Ctrl-C, which the terminal shows as ^C. */
	if (notice == LEAT_WARNING)
		fprintf(stderr, "leat: %s\n", text);
	else if (isatty(STDERR_FILENO))
		fprintf(stderr, "\nleat: %s\n", text);
}

static int execute_say(const struct leat_error *error)
{
	if (error->text[0])
		fprintf(stderr, "leat: %s\n", error->text);
	return error->status;
}

static int execute_add(
    const struct execute *execute, struct leat_pipeline *pipeline, char **stages, int n_stages)
{
	struct leat_error error = {0};
	for (int i = 0; i < n_stages; i++) {
		if (leat_pipeline_add(pipeline, stages[i], &error) < 0)
			return execute_say(&error);
	}
	if (workers_apply(&execute->workers, pipeline, &error) < 0)
		return execute_say(&error);
	return LEAT_OK;
}

static int execute_dry(const struct execute *execute, const struct leat_pipeline *pipeline)
{
	struct leat_error error = {0};
	char *line = NULL;
	if (leat_pipeline_shell_line(pipeline, execute->in_path, execute->out_path, &line, &error) <
	    0)
		return execute_say(&error);
	int r = printf("%s\n", line);
	free(line);
	return r < 0 || fflush(stdout) != 0 ? execute_help("") : LEAT_OK;
}

static int execute_run(struct leat_pipeline *pipeline)
{
	struct leat_error error = {0};
	int status = leat_pipeline_run(pipeline, &error);
	if (status != LEAT_OK)
		execute_say(&error);
	return status;
}

int execute_chain(struct execute *execute, char **stages, int n_stages)
{
	struct leat_options *options = &execute->options;
	options->notice = execute_notice;
	if (!execute->dry_run && standard_take(options, execute->in_path, execute->out_path) < 0)
		return LEAT_CANNOT_START;
	struct leat_pipeline *pipeline = leat_pipeline_new(options);
	if (!pipeline) {
		fputs("leat: out of memory\n", stderr);
		return LEAT_STOPPED;
	}
	int status = execute_add(execute, pipeline, stages, n_stages);
	if (status == LEAT_OK)
		status = execute->dry_run ? execute_dry(execute, pipeline) : execute_run(pipeline);
	leat_pipeline_free(pipeline);
	if (!execute->dry_run && standard_close(options) < 0 && status == LEAT_OK)
		status = LEAT_STOPPED;
	return status;
}
