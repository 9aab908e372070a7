/* SPDX-License-Identifier: Apache-2.0 */
#include "shell_command_line.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CHAIN_MAX 4

struct chain {
	struct stage_spec specs[CHAIN_MAX];
	uint32_t n;
};

static void chain_open(struct chain *chain, const char *const *texts)
{
	struct leat_error error = {0};
	for (chain->n = 0; chain->n < CHAIN_MAX && texts[chain->n]; chain->n++) {
		struct stage_spec *spec = &chain->specs[chain->n];
		assert_int_equal(stage_spec_parse(texts[chain->n], spec, &error), 0);
	}
}

static void chain_close(struct chain *chain)
{
	for (uint32_t i = 0; i < chain->n; i++)
		stage_spec_free(&chain->specs[i]);
}

/* Puts this program on PATH under the name that a person would call. */
static int setup_path(void **state)
{
	char program[4096] = "";
	if (scratch_setup(state) < 0 || readlink("/proc/self/exe", program, 4095) < 0)
		return -1;
	setenv("PATH", scratch_path(""), 1);
	return symlink(program, scratch_path("leat"));
}

static int teardown_path(void **state)
{
	setenv("PATH", "/usr/bin:/bin", 1);
	return scratch_teardown(state);
}

static void assert_line(const struct leat_options *options, const char *const *texts,
    const char *in_path, const char *out_path, const char *expected)
{
	struct chain chain;
	chain_open(&chain, texts);
	char *line = shell_command_line_line(options, chain.specs, chain.n, in_path, out_path);
	assert_non_null(line);
	assert_string_equal(line, expected);
	free(line);
	chain_close(&chain);
}

static void a_person_could_have_written_it(void **state)
{
	(void)state;
	static const struct {
		const char *stages[CHAIN_MAX + 1];
		const char *in_path;
		const char *out_path;
		const char *line;
	} cases[] = {
	    {{"mul.py:mul", "add.c:add"}, NULL, NULL,
		"leat stage mul.py:mul | leat stage add.c:add"},
	    {{"a=py:m:f", "grep GET"}, NULL, NULL, "leat stage a=py:m:f | grep GET"},
	    {{"mul.py:mul", "sort -n", "add.py:add"}, "in.txt", "out.txt",
		"leat stage mul.py:mul <in.txt | sort -n | leat stage add.py:add >out.txt"},
	    {{"sort"}, "my in", "it's out", "sort <'my in' >'it'\\''s out'"},
	    {{"sort | uniq", "cat"}, NULL, NULL, "sh -c 'sort | uniq' | cat"},
	    {{"a=grep 'x y'"}, NULL, NULL, "sh -c 'grep '\\''x y'\\'''"},
	    {{"./it's.py:f"}, NULL, NULL, "leat stage './it'\\''s.py:f'"},
	};
	struct leat_options options = leat_options_default();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_line(
		    &options, cases[i].stages, cases[i].in_path, cases[i].out_path, cases[i].line);
}

static void options_that_matter_are_on_the_line(void **state)
{
	(void)state;
	static const char *const stages[] = {"mul.py:mul", "sort", NULL};
	struct leat_options options = leat_options_default();
	options.frame = LEAT_NUL;
	options.max_record = 1000;
	options.memory = 2 << 20;
	options.python = "/my env/python3";
	options.time_log = LEAT_TIME_LOG_PLAIN;
	assert_line(&options, stages, NULL, NULL,
	    "leat stage --frame=nul --max-record=1000 --memory=2097152 '--python=/my env/python3' "
	    "--time-log "
	    "mul.py:mul | sort");
	options = leat_options_default();
	options.frame = LEAT_U32;
	options.time_log = LEAT_TIME_LOG_FULL;
	assert_line(&options, stages, NULL, NULL,
	    "leat stage --frame=u32 --time-log=full mul.py:mul | sort");
}

/* Where a shell would not find this program by its name, the line has its path. */
static void another_program_of_that_name_is_not_meant(void **state)
{
	(void)state;
	static const char *const stages[] = {"mul.py:mul", NULL};
	static const char *const paths[] = {"/none:/usr/bin", ""};
	struct leat_options options = leat_options_default();
	char program[4096] = "";
	char *expected = NULL;
	assert_true(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
	assert_true(asprintf(&expected, "%s stage mul.py:mul", program) > 0);
	for (size_t i = 0; i < 2; i++) {
		setenv("PATH", paths[i], 1);
		assert_line(&options, stages, NULL, NULL, expected);
	}
	assert_int_equal(unlink(scratch_path("leat")), 0);
	scratch_script("leat", "#!/bin/sh\n");
	char *path = NULL;
	assert_true(asprintf(&path, "/none:%s:/usr/bin", scratch_path("")) > 0);
	setenv("PATH", path, 1);
	assert_line(&options, stages, NULL, NULL, expected);
	free(path);
	free(expected);
}

static char *output_of(const char *line)
{
	char *output = calloc(1, 4096);
	FILE *from = popen(line, "re");
	assert_non_null(output);
	assert_non_null(from);
	assert_true(fread(output, 1, 4095, from) < 4095);
	(void)pclose(from);
	return output;
}

/* A chain of commands does in a shell what it does in leat: each in a shell of its own. */
static void a_shell_does_the_same(void **state)
{
	(void)state;
	static const char *const commands[] = {
	    "cat; echo after",
	    "cat || echo never",
	    "sed 's/a/\\$HOME `b` \"c\"/'",
	    "if read x; then echo \"<$x>\"; fi; cat",
	    "cat # a comment",
	    "cat &",
	    "cat && echo \\\\",
	    "! cat",
	    "cat | sort -r",
	    "{ cat; }",
	    "(cat)",
	    "X=1; while read l; do echo $X $l; X=$((X + 1)); done",
	    "sed s/a/~/",
	    "tr a-c '*'",
	    "echo 'it'\\''s'",
	    "cat\necho next",
	    "LC_ALL=C sort -r",
	    "cat 2>/dev/null <&0",
	    "printf %s\\\\n \"$(cat)\"",
	    "grep -e a -e '|'",
	};
	struct leat_options options = leat_options_default();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *stages[] = {"printf 'a\\nb\\nc\\n'", commands[i], "sed s/^/./", NULL};
		struct chain chain;
		char *plain = NULL;
		chain_open(&chain, stages);
		char *line = shell_command_line_line(&options, chain.specs, chain.n, NULL, NULL);
		setenv("STAGE", commands[i], 1);
		assert_true(
		    asprintf(&plain, "printf 'a\\nb\\nc\\n' | sh -c \"$STAGE\" | sed s/^/./") > 0);
		char *expected = output_of(plain);
		char *output = output_of(line);
		assert_string_equal(output, expected);
		free(output);
		free(expected);
		free(plain);
		free(line);
		chain_close(&chain);
	}
}

static void assert_words(char **argv, const char *const *expected)
{
	assert_non_null(argv);
	size_t n = 0;
	for (; expected[n]; n++) {
		assert_non_null(argv[n]);
		if (strcmp(expected[n], "PROGRAM") != 0)
			assert_string_equal(argv[n], expected[n]);
		else
			assert_int_equal(access(argv[n], X_OK), 0);
	}
	assert_null(argv[n]);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	free(argv);
}

static void a_stage_is_run_by_these_words(void **state)
{
	(void)state;
	static const char *const stages[] = {
	    "a=./my.py:f", "x=grep 'a b' | sort", "grep -F 'a b'  c", "grep *.c", NULL};
	struct leat_options options = leat_options_default();
	struct chain chain;
	chain_open(&chain, stages);
	assert_words(shell_command_line_argv(&options, &chain.specs[0], 5, false),
	    (const char *[]){"PROGRAM", "stage", "a=./my.py:f", NULL});
	assert_words(shell_command_line_argv(&options, &chain.specs[1], 5, false),
	    (const char *[]){"/bin/sh", "-c", "grep 'a b' | sort", NULL});
	assert_words(shell_command_line_argv(&options, &chain.specs[2], 5, false),
	    (const char *[]){"grep", "-F", "a b", "c", NULL});
	assert_words(shell_command_line_argv(&options, &chain.specs[3], 5, false),
	    (const char *[]){"/bin/sh", "-c", "exec grep *.c", NULL});
	options.frame = LEAT_NUL;
	options.max_record = 9;
	options.python = "py";
	options.time_log = LEAT_TIME_LOG_FULL;
	options.trace_fd = 17;
	assert_words(shell_command_line_argv(&options, &chain.specs[0], 5, false),
	    (const char *[]){"PROGRAM", "stage", "--frame=nul", "--max-record=9", "--python=py",
		"--time-log=full", "--trace=/proc/self/fd/3", "--trace-stage=5", "a=./my.py:f",
		NULL});
	assert_words(shell_command_line_argv(&options, &chain.specs[1], 5, false),
	    (const char *[]){"/bin/sh", "-c", "grep 'a b' | sort", NULL});
	chain_close(&chain);
}

/* A stage behind it may need the order. */
static void only_the_last_stage_gives_up_the_order(void **state)
{
	(void)state;
	static const char *const stages[] = {"a=./my.py:f", "b=./my.py:f", NULL};
	struct leat_options options = leat_options_default();
	struct chain chain;
	options.unordered = 1;
	options.jobs = 2;
	chain_open(&chain, stages);
	assert_words(shell_command_line_argv(&options, &chain.specs[0], 0, false),
	    (const char *[]){"PROGRAM", "stage", "--jobs=2", "a=./my.py:f", NULL});
	assert_words(shell_command_line_argv(&options, &chain.specs[1], 1, true),
	    (const char *[]){"PROGRAM", "stage", "--jobs=2", "--unordered", "b=./my.py:f", NULL});
	assert_line(&options, stages, NULL, NULL,
	    "leat stage --jobs=2 a=./my.py:f | leat stage --jobs=2 --unordered b=./my.py:f");
	chain_close(&chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_person_could_have_written_it, setup_path, teardown_path),
	    cmocka_unit_test_setup_teardown(
		options_that_matter_are_on_the_line, setup_path, teardown_path),
	    cmocka_unit_test_setup_teardown(
		another_program_of_that_name_is_not_meant, setup_path, teardown_path),
	    cmocka_unit_test(a_shell_does_the_same),
	    cmocka_unit_test(a_stage_is_run_by_these_words),
	    cmocka_unit_test_setup_teardown(
		only_the_last_stage_gives_up_the_order, setup_path, teardown_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
