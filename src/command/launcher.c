/* SPDX-License-Identifier: Apache-2.0 */
#include "launcher.h"

#include "failure.h"
#include "find_program.h"
#include "input_wait.h"
#include "nested_shell.h"
#include "shell_syntax.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One argument's bytes, with its end: 32 pages, whatever the limit of them all (execve(2)). */
size_t launcher_record_max(void)
{
	return 32 * (size_t)sysconf(_SC_PAGESIZE) - 1;
}

/* The program that is first on the command line; the record may be it. */
static const char *launcher_program(const struct launcher *command)
{
	const char *first = command->words.n > 0 ? command->words.words[0] : NULL;
	return first && !strchr(first, COMMAND_ARGV_RECORD) ? first : NULL;
}

static bool launcher_is_ours(const char *variable)
{
	return strncmp(variable, "LEAT_STAGE=", 11) == 0 ||
	       strncmp(variable, "LEAT_WORKER=", 12) == 0 ||
	       strncmp(variable, "LEAT_RECORD=", 12) == 0;
}

static int launcher_make_environment(struct launcher *command)
{
	size_t n = 0;
	while (environ[n])
		n++;
	command->environment = calloc(n + 5, sizeof(*command->environment));
	if (!command->environment)
		return -ENOMEM;
	char **to = command->environment;
	for (size_t i = 0; i < n; i++) {
		if (!launcher_is_ours(environ[i]))
			*to++ = environ[i];
	}
	snprintf(command->stage_text, sizeof(command->stage_text), "LEAT_STAGE=%s",
	    command->stage->name);
	snprintf(
	    command->worker_text, sizeof(command->worker_text), "LEAT_WORKER=%u", command->rank);
	*to++ = command->stage_text;
	*to++ = command->worker_text;
	if (command->stage->kind != STAGE_LINE)
		*to++ = command->record_text;
	return 0;
}

/* What {} in the text of a further shell would do is what each: is never to do. */
static int launcher_check_record(const struct region_stage *stage, struct leat_error *reterr)
{
	char program[NESTED_PROGRAM_MAX];
	if (stage->kind != STAGE_EACH || !nested_shell_reads_record(stage->target, program))
		return 0;
	return failure(reterr, LEAT_CANNOT_START, -EINVAL,
	    "stage '%s': %s would read its record as code; hand it on as an argument, as in "
	    "sh -c 'echo \"$1\"' sh {}",
	    stage->name, program);
}

int launcher_open(struct launcher *command, const struct region *region, unsigned stage_number,
    unsigned worker, struct launcher_context *context, struct leat_error *reterr)
{
	const struct region_stage *stage = region_stage(region, stage_number);
	*command = (struct launcher){
	    .stage = stage,
	    .context = context,
	    .worker = worker,
	    .rank = region_rank(region, worker),
	    .err = context->errs[worker],
	};
	bool with_record = stage->kind == STAGE_EACH;
	int r = launcher_check_record(stage, reterr);
	if (r < 0)
		return r;
	r = command_argv_split(stage->target, with_record, &command->words);
	if (r == 0 && command->words.n == 0) {
		command->script =
		    with_record ? command_argv_script(stage->target) : strdup(stage->target);
		r = command->script ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = launcher_make_environment(command);
	if (r < 0)
		return failure(reterr, LEAT_STOPPED, r, "out of memory");
	const char *program = launcher_program(command);
	r = program ? find_program(program, NULL) : 0;
	if (r < 0)
		return failure(reterr, LEAT_CANNOT_START, r, "stage '%s': %s: %s", stage->name,
		    program, r == -EACCES ? "is not executable" : "no such command");
	if (stage->kind == STAGE_LINE && !context->bulk)
		launcher_unbuffer(command);
	return 0;
}

/* In place of what the caller's environment says of it, or after all. */
static void launcher_set(struct launcher *command, const char *assignment)
{
	size_t name = (size_t)(strchr(assignment, '=') - assignment) + 1;
	char **at = command->environment;
	while (*at && strncmp(*at, assignment, name) != 0)
		at++;
	*at = (char *)assignment;
}

void launcher_unbuffer(struct launcher *command)
{
	command->unbuffered = true;
	command->stdbuf = find_program("stdbuf", NULL) == 0;
	launcher_set(command, "PYTHONUNBUFFERED=1");
}

void launcher_close(struct launcher *command)
{
	command_argv_free(&command->words);
	free(command->script);
	free(command->environment);
	*command = (struct launcher){0};
}

/* argv with the record in its places. Its own strings are those that differ from the words. */
static int launcher_argv(struct launcher *command, const struct launcher_start *start, char *record,
    char **argv, size_t *ret_first)
{
	size_t n = 0;
	if (command->stdbuf) {
		argv[n++] = (char *)"stdbuf";
		argv[n++] = (char *)"-oL";
	}
	*ret_first = n;
	if (command->script) {
		argv[n++] = (char *)"/bin/sh";
		argv[n++] = (char *)"-c";
		argv[n++] = command->script;
		argv[n++] = (char *)"sh";
		argv[n++] = record;
		argv[n] = NULL;
		return 0;
	}
	for (size_t i = 0; i < command->words.n; i++) {
		argv[n] =
		    command_argv_fill(command->words.words[i], start->record, start->record_size);
		if (!argv[n])
			return -ENOMEM;
		argv[++n] = NULL;
	}
	return 0;
}

static void launcher_free_argv(struct launcher *command, char **argv, size_t first)
{
	for (size_t i = 0; !command->script && argv[first + i]; i++) {
		if (argv[first + i] != command->words.words[i])
			free(argv[first + i]);
	}
}

static int launcher_exec(struct launcher *command, const struct launcher_start *start, char *record,
    struct child *ret_child)
{
	char *argv[LAUNCHER_ARGV_MAX] = {NULL};
	size_t first;
	int map[] = {start->in, start->out, start->err < 0 ? command->err : start->err};
	int r = launcher_argv(command, start, record, argv, &first);
	struct child_setup setup = {
	    .argv = argv,
	    .environment = command->environment,
	    .map = map,
	    .n_map = 3,
	    .lingers = true,
	};
	if (r == 0)
		r = child_start(ret_child, &setup);
	launcher_free_argv(command, argv, first);
	return r;
}

static void launcher_number(struct launcher *command, const struct launcher_start *start)
{
	if (start->first == start->last)
		snprintf(command->record_text, sizeof(command->record_text), "LEAT_RECORD=%llu",
		    (unsigned long long)start->first);
	else
		snprintf(command->record_text, sizeof(command->record_text),
		    "LEAT_RECORD=%llu-%llu", (unsigned long long)start->first,
		    (unsigned long long)start->last);
}

int launcher_start(
    struct launcher *command, const struct launcher_start *start, struct child *ret_child)
{
	char *record = NULL;
	if (start->record_size > launcher_record_max())
		return -E2BIG;
	if (start->record) {
		if (memchr(start->record, '\0', start->record_size))
			return -EILSEQ;
		record = strndup(start->record, start->record_size);
		if (!record)
			return -ENOMEM;
	}
	launcher_number(command, start);
	job_control_hold(&command->context->suspend);
	int r = launcher_exec(command, start, record, ret_child);
	if (r == 0)
		job_control_set_group(
		    &command->context->suspend, command->worker, ret_child->group);
	job_control_release(&command->context->suspend);
	free(record);
	if (r == 0 && command->script)
		orphan_guard_watch(command->context->guard, ret_child->group);
	return r;
}

void launcher_end(struct launcher *command, struct child *child)
{
	pid_t group = child->group;
	child_end(child);
	job_control_hold(&command->context->suspend);
	job_control_set_group(&command->context->suspend, command->worker, 0);
	job_control_release(&command->context->suspend);
	child_end_group(child);
	child->group = 0;
	if (group > 0 && command->script)
		orphan_guard_unwatch(command->context->guard, group);
}

const char *launcher_why_stalled(const struct child *child, const char *otherwise)
{
	/* Reaped, or about to be: its stdout is what is waited for. */
	char state = child->pid != 0 ? input_wait_state(child->pid) : 'Z';
	if (state == 'Z')
		return "it has ended, but what it has started holds its stdout; --timeout would "
		       "end that";
	if (state == 'T')
		return "it is stopped, as is whatever reads the terminal in the background; "
		       "--timeout would end it";
	return otherwise;
}

void launcher_describe(
    const struct launcher *command, const struct child *child, char *text, size_t capacity)
{
	char how[96];
	child_describe(child, how, sizeof(how));
	bool missing = command->script && WIFEXITED(child->status) &&
		       WEXITSTATUS(child->status) == SHELL_NOT_FOUND;
	snprintf(text, capacity, "%s%s", how, missing ? " (not found)" : "");
}
