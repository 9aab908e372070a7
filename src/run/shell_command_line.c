/* SPDX-License-Identifier: Apache-2.0 */
#include "shell_command_line.h"

#include "command_argv.h"
#include "find_program.h"
#include "install_paths.h"
#include "quote.h"
#include "shell_syntax.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHELL_WORDS_MAX COMMAND_ARGV_MAX

struct shell_command_line_words {
	char *words[SHELL_WORDS_MAX + 1];
	int n;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void shell_command_line_add(
    struct shell_command_line_words *words, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *word = NULL;
	if (vasprintf(&word, format, args) < 0 || words->n == SHELL_WORDS_MAX)
		words->failed = true;
	else
		words->words[words->n++] = word;
	va_end(args);
}

static void shell_command_line_free(struct shell_command_line_words *words)
{
	for (int i = 0; i < words->n; i++)
		free(words->words[i]);
}

/* The options of `leat run` that `leat stage` needs too, where they are not the defaults. */
static void shell_command_line_add_options(
    struct shell_command_line_words *words, const struct leat_options *options)
{
	static const char *const frames[] = {"newline", "nul", "u32"};
	struct leat_options defaults = leat_options_default();
	if (options->frame != defaults.frame)
		shell_command_line_add(words, "--frame=%s", frames[options->frame]);
	if (options->max_record != defaults.max_record)
		shell_command_line_add(
		    words, "--max-record=%llu", (unsigned long long)options->max_record);
	if (options->memory != defaults.memory)
		shell_command_line_add(words, "--memory=%llu", (unsigned long long)options->memory);
	if (strcmp(options->python, defaults.python) != 0)
		shell_command_line_add(words, "--python=%s", options->python);
	if (options->time_log != LEAT_TIME_LOG_OFF)
		shell_command_line_add(
		    words, "--time-log%s", options->time_log == LEAT_TIME_LOG_FULL ? "=full" : "");
	if (options->restart_state)
		shell_command_line_add(words, "--restart-state");
	if (options->tag)
		shell_command_line_add(words, "--tag");
}

static void shell_command_line_add_stage(
    struct shell_command_line_words *words, const char *program, const struct leat_options *options)
{
	shell_command_line_add(words, "%s", program);
	shell_command_line_add(words, "stage");
	shell_command_line_add_options(words, options);
}

static const char *shell_command_line_number(unsigned workers, char *text, size_t capacity)
{
	if (workers == LEAT_WORKERS_AUTO)
		return "auto";
	snprintf(text, capacity, "%u", workers);
	return text;
}

/*
 * How many workers the stage has; in its own program there is no other stage to name. What
 * comes behind it may need the order: only the last one gives it up.
 */
static void shell_command_line_add_workers(struct shell_command_line_words *words,
    const struct leat_options *options, const struct stage_spec *spec, bool is_last)
{
	/* What cannot be told its name has the one of the first. */
	int base = (int)(spec->named ? strlen(spec->name) : strcspn(spec->name, "#"));
	char number[16];
	if (spec->workers > 1)
		shell_command_line_add(words, "--workers=%.*s=%s", base, spec->name,
		    shell_command_line_number(spec->workers, number, sizeof(number)));
	else if (options->jobs > 0 && spec->workers == 0 && !spec->serial)
		shell_command_line_add(words, "--jobs=%s",
		    shell_command_line_number(options->jobs, number, sizeof(number)));
	if (options->unordered && is_last)
		shell_command_line_add(words, "--unordered");
}

/* What a command is to be told, where it is not what it would be told anyway. */
static void shell_command_line_add_limits(struct shell_command_line_words *words,
    const struct leat_options *options, const struct stage_spec *spec)
{
	struct leat_options defaults = leat_options_default();
	if (spec->kind == STAGE_BATCH && options->batch_records > 0)
		shell_command_line_add(
		    words, "--batch=%lul", (unsigned long)options->batch_records);
	else if (spec->kind == STAGE_BATCH && options->batch_bytes != defaults.batch_bytes)
		shell_command_line_add(
		    words, "--batch=%llu", (unsigned long long)options->batch_bytes);
	if (!region_kind_is_command(spec->kind))
		return;
	if (options->stall_s != defaults.stall_s)
		shell_command_line_add(words, "--stall=%u", options->stall_s);
	if (options->timeout_s != defaults.timeout_s)
		shell_command_line_add(words, "--timeout=%u", options->timeout_s);
}

static void shell_command_line_add_spec(
    struct shell_command_line_words *words, const struct stage_spec *spec)
{
	char *text = stage_spec_text(spec);
	if (text)
		shell_command_line_add(words, "%s", text);
	else
		words->failed = true;
	free(text);
}

/* One program and its words, as a shell would start it. False: only a shell knows. */
static bool shell_command_line_add_words(
    struct shell_command_line_words *words, const struct stage_spec *spec)
{
	struct command_argv own;
	if (command_argv_split(spec->target, false, &own) < 0) {
		words->failed = true;
		return true;
	}
	for (size_t i = 0; i < own.n; i++)
		shell_command_line_add(words, "%s", own.words[i]);
	bool is_plain = own.n > 0;
	command_argv_free(&own);
	return is_plain;
}

/*
 * Where the shell has only one program to start, it shall become that program: then
 * signals reach it, and how it ended is known.
 */
static void shell_command_line_add_command(
    struct shell_command_line_words *words, const struct stage_spec *spec)
{
	if (shell_command_line_add_words(words, spec))
		return;
	const char *start = spec->target + strspn(spec->target, " ");
	bool plain = shell_syntax_is_program(spec->target);
	shell_command_line_add(words, "/bin/sh");
	shell_command_line_add(words, "-c");
	shell_command_line_add(words, "%s%s", plain ? "exec " : "", plain ? start : spec->target);
}

char **shell_command_line_argv(const struct leat_options *options, const struct stage_spec *spec,
    uint32_t trace_stage, bool is_last)
{
	struct shell_command_line_words words = {0};
	if (spec->kind == STAGE_COMMAND) {
		shell_command_line_add_command(&words, spec);
	} else {
		char *program = install_paths_program();
		words.failed = !program;
		shell_command_line_add_stage(&words, program ? program : "", options);
		free(program);
		shell_command_line_add_workers(&words, options, spec, is_last);
		shell_command_line_add_limits(&words, options, spec);
		if (is_last && strcmp(options->out_name, leat_options_default().out_name) != 0)
			shell_command_line_add(&words, "--output-name=%s", options->out_name);
		if (options->trace_fd >= 0) {
			/* As segment_process_start passes it. */
			shell_command_line_add(&words, "--trace=/proc/self/fd/3");
			shell_command_line_add(&words, "--trace-stage=%u", trace_stage);
		}
		shell_command_line_add_spec(&words, spec);
	}
	char **argv = malloc(sizeof(words.words));
	if (!argv || words.failed) {
		shell_command_line_free(&words);
		free(argv);
		return NULL;
	}
	memcpy(argv, words.words, sizeof(words.words));
	return argv;
}

/* Whether this path is the running program. */
static bool shell_command_line_is_program(const char *path)
{
	struct stat other;
	struct stat self;
	return stat(path, &other) == 0 && stat("/proc/self/exe", &self) == 0 &&
	       other.st_dev == self.st_dev && other.st_ino == self.st_ino;
}

/* How a person calls this program: by its name where a shell finds it. */
static char *shell_command_line_program(void)
{
	char *file = NULL;
	bool ours = find_program("leat", &file) == 0 && shell_command_line_is_program(file);
	free(file);
	return ours ? strdup("leat") : install_paths_program();
}

/*
 * A command as it stands in a pipe. One that a bare `|` beside it would tear apart, as
 * `a; b` or `a || b` would be, keeps a shell of its own.
 */
static void shell_command_line_print_command(FILE *to, const char *command)
{
	char *quoted = NULL;
	if (!strpbrk(command, ";&|<>(){}#\n\\'\"`$!"))
		fputs(command, to);
	else if ((quoted = quote_shell(command)))
		fprintf(to, "sh -c %s", quoted);
	free(quoted);
}

static void shell_command_line_print_stage(
    FILE *to, const struct leat_options *options, const struct stage_spec *spec, bool is_last)
{
	struct shell_command_line_words words = {0};
	char *program = shell_command_line_program();
	shell_command_line_add_stage(&words, program ? program : "leat", options);
	shell_command_line_add_workers(&words, options, spec, is_last);
	shell_command_line_add_limits(&words, options, spec);
	shell_command_line_add_spec(&words, spec);
	free(program);
	for (int i = 0; i < words.n; i++) {
		char *quoted = quote_shell(words.words[i]);
		fprintf(to, "%s%s", i ? " " : "", quoted ? quoted : "");
		free(quoted);
	}
	shell_command_line_free(&words);
}

static void shell_command_line_print_file(FILE *to, const char *operator, const char * path)
{
	char *quoted = path ? quote_shell(path) : NULL;
	if (quoted)
		fprintf(to, " %s%s", operator, quoted);
	free(quoted);
}

char *shell_command_line_line(const struct leat_options *options, const struct stage_spec *specs,
    uint32_t n_specs, const char *in_path, const char *out_path)
{
	char *line = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&line, &size);
	if (!to)
		return NULL;
	for (uint32_t i = 0; i < n_specs; i++) {
		fputs(i ? " | " : "", to);
		if (specs[i].kind == STAGE_COMMAND)
			shell_command_line_print_command(to, specs[i].target);
		else
			shell_command_line_print_stage(to, options, &specs[i], i + 1 == n_specs);
		if (i == 0)
			shell_command_line_print_file(to, "<", in_path);
	}
	shell_command_line_print_file(to, ">", out_path);
	if (fclose(to) != 0) {
		free(line);
		return NULL;
	}
	return line;
}
