/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_spec.h"

#include "scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* function NULL: a command. text NULL: stage_spec_text gives it back as it was. */
static const struct {
	const char *given;
	enum stage_kind kind;
	const char *name;
	const char *target;
	const char *function;
	const char *text;
} stages[] = {
    {"mul.py:mul", STAGE_PYTHON_FILE, "mul", "mul.py", "mul", NULL},
    {"./a/mul.py:Class.method", STAGE_PYTHON_FILE, "method", "./a/mul.py", "Class.method", NULL},
    {"/x:y/mul.py:_f1", STAGE_PYTHON_FILE, "_f1", "/x:y/mul.py", "_f1", NULL},
    {"score.c:score", STAGE_C, "score", "score.c", "score", NULL},
    {"./score.so:score", STAGE_C, "score", "./score.so", "score", NULL},
    {"py:package.module:f", STAGE_PYTHON_MODULE, "f", "package.module", "f", NULL},
    {"py:m:C.f", STAGE_PYTHON_MODULE, "f", "m", "C.f", NULL},
    /* Names. */
    {"a=mul.py:mul", STAGE_PYTHON_FILE, "a", "mul.py", "mul", NULL},
    {"m2_x-y=score.c:score", STAGE_C, "m2_x-y", "score.c", "score", NULL},
    {"a=py:m:f", STAGE_PYTHON_MODULE, "a", "m", "f", NULL},
    {"tops=sort -n", STAGE_COMMAND, "tops", "sort -n", NULL, "tops=stream:sort -n"},
    {"tops=stream:sort", STAGE_COMMAND, "tops", "sort", NULL, NULL},
    {"a=b=c.py:f", STAGE_PYTHON_FILE, "a", "b=c.py", "f", NULL},
    {"a=LC_ALL=C sort", STAGE_COMMAND, "a", "LC_ALL=C sort", NULL, "a=stream:LC_ALL=C sort"},
    /* No names: upper case, a digit or a sign in front, a blank before the =. */
    {"LC_ALL=C sort", STAGE_COMMAND, "sort", "LC_ALL=C sort", NULL, "stream:LC_ALL=C sort"},
    {"A=1 b=2 /bin/cat", STAGE_COMMAND, "cat", "A=1 b=2 /bin/cat", NULL, "stream:A=1 b=2 /bin/cat"},
    {"test a=b", STAGE_COMMAND, "test", "test a=b", NULL, "stream:test a=b"},
    {"./x=y z", STAGE_COMMAND, "x=y", "./x=y z", NULL, "stream:./x=y z"},
    /* Commands. */
    {"stream:grep GET", STAGE_COMMAND, "grep", "grep GET", NULL, NULL},
    {"if true; then cat; fi", STAGE_COMMAND, "shell", "if true; then cat; fi", NULL,
	"stream:if true; then cat; fi"},
    {"set -e; cat", STAGE_COMMAND, "shell", "set -e; cat", NULL, "stream:set -e; cat"},
    {"grep GET", STAGE_COMMAND, "grep", "grep GET", NULL, "stream:grep GET"},
    {"  /usr/bin/sort\t-n", STAGE_COMMAND, "sort", "  /usr/bin/sort\t-n", NULL,
	"stream:  /usr/bin/sort\t-n"},
    {"sort|uniq", STAGE_COMMAND, "sort", "sort|uniq", NULL, "stream:sort|uniq"},
    {"stream:mul.py:mul", STAGE_COMMAND, "mul.py:mul", "mul.py:mul", NULL, NULL},
    {"(a; b)", STAGE_COMMAND, "command", "(a; b)", NULL, "stream:(a; b)"},
    {"./ x", STAGE_COMMAND, "command", "./ x", NULL, "stream:./ x"},
    {"grep mul.py:mul", STAGE_COMMAND, "grep", "grep mul.py:mul", NULL, "stream:grep mul.py:mul"},
    {"cat mul.py", STAGE_COMMAND, "cat", "cat mul.py", NULL, "stream:cat mul.py"},
    {"line", STAGE_COMMAND, "line", "line", NULL, "stream:line"},
    {"stream:line:cat", STAGE_COMMAND, "line:cat", "line:cat", NULL, NULL},
    /* A colon before no function, or no file of ours. */
    {"line:sed -u s/a/b/", STAGE_LINE, "sed", "sed -u s/a/b/", NULL, NULL},
    {"batch:gzip -c", STAGE_BATCH, "gzip", "gzip -c", NULL, NULL},
    {"b=batch:python3 tools/sum.py", STAGE_BATCH, "b", "python3 tools/sum.py", NULL, NULL},
    {"each:convert {} -resize 50% small/{}", STAGE_EACH, "convert",
	"convert {} -resize 50% small/{}", NULL, NULL},
    {"mul.py:1", STAGE_COMMAND, "mul.py:1", "mul.py:1", NULL, "stream:mul.py:1"},
    {"mul.rb:f", STAGE_COMMAND, "mul.rb:f", "mul.rb:f", NULL, "stream:mul.rb:f"},
    {".py:f", STAGE_COMMAND, ".py:f", ".py:f", NULL, "stream:.py:f"},
    {"a.py:f.", STAGE_COMMAND, "a.py:f.", "a.py:f.", NULL, "stream:a.py:f."},
};

static void reads_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		struct stage_spec spec = {0};
		struct leat_error error = {0};
		assert_int_equal(stage_spec_parse(stages[i].given, &spec, &error), 0);
		assert_int_equal(spec.kind, stages[i].kind);
		assert_string_equal(spec.name, stages[i].name);
		assert_string_equal(spec.target, stages[i].target);
		if (stages[i].function)
			assert_string_equal(spec.function, stages[i].function);
		else
			assert_null(spec.function);
		assert_null(spec.object);
		assert_int_equal(stage_spec_is_python(&spec),
		    stages[i].kind == STAGE_PYTHON_FILE || stages[i].kind == STAGE_PYTHON_MODULE);
		stage_spec_free(&spec);
	}
}

/* The text of a stage is read as the same stage, in this process or another. */
static void its_text_means_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		struct stage_spec spec = {0};
		struct stage_spec again = {0};
		struct leat_error error = {0};
		assert_int_equal(stage_spec_parse(stages[i].given, &spec, &error), 0);
		char *text = stage_spec_text(&spec);
		assert_string_equal(text, stages[i].text ? stages[i].text : stages[i].given);
		assert_int_equal(stage_spec_parse(text, &again, &error), 0);
		assert_int_equal(again.kind, spec.kind);
		assert_int_equal(again.named, spec.named);
		assert_string_equal(again.name, spec.name);
		assert_string_equal(again.target, spec.target);
		assert_int_equal(!again.function, !spec.function);
		if (spec.function)
			assert_string_equal(again.function, spec.function);
		free(text);
		stage_spec_free(&again);
		stage_spec_free(&spec);
	}
}

/* What a command is called after when its program only runs something else. */
static void names_a_command_after_its_script(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	    {"python3 mul.py", "mul"},
	    {"python3 -u tools/mul.py", "mul"},
	    {"/usr/bin/python3.11 -u -X dev mul.py", "dev"},
	    {"python3 -m package.part", "package"},
	    {"sh -e script.sh", "script"},
	    {"bash x/run", "run"},
	    {"node18 a.b.js", "a.b"},
	    {"perl v1.5", "v1.5"},
	    {"ruby .hidden", ".hidden"},
	    {"X=1 python3 mul.py", "mul"},
	    {"python3", "python3"},
	    {"python3 -u", "python3"},
	    {"sh; ls", "sh"},
	    /* Programs whose names only begin like an interpreter's. */
	    {"shuf -n 3", "shuf"},
	    {"sha256sum data.bin", "sha256sum"},
	    {"shred file", "shred"},
	    {"perltidy x.pl", "perltidy"},
	    {"python3-config --libs x", "python3-config"},
	    /* A script on the line itself. */
	    {"python3 -c 'print(1)'", "python3"},
	    {"perl -ne 'print if /a/'", "perl"},
	    {"perl -pe s/a/b/", "perl"},
	    {"sh -c 'sort | uniq'", "sh"},
	    {"bash -ec \"$SCRIPT\"", "bash"},
	    {"node -e 1 x.js", "node"},
	    {"ruby \"$HOME/x.rb\"", "ruby"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage_spec spec = {0};
		struct leat_error error = {0};
		assert_int_equal(stage_spec_parse(cases[i][0], &spec, &error), 0);
		assert_string_equal(spec.name, cases[i][1]);
		stage_spec_free(&spec);
	}
}

static void a_file_with_a_space_must_exist(void **state)
{
	(void)state;
	struct stage_spec spec = {0};
	struct leat_error error = {0};
	char *text = NULL;
	assert_int_equal(chdir(scratch_path("")), 0);
	assert_int_equal(stage_spec_parse("my file.py:f", &spec, &error), 0);
	assert_int_equal(spec.kind, STAGE_COMMAND);
	assert_string_equal(spec.name, "my");
	stage_spec_free(&spec);
	scratch_write("my file.py", "");
	assert_int_equal(stage_spec_parse("my file.py:f", &spec, &error), 0);
	assert_int_equal(spec.kind, STAGE_PYTHON_FILE);
	assert_string_equal(spec.target, "my file.py");
	text = stage_spec_text(&spec);
	assert_string_equal(text, "my file.py:f");
	free(text);
	stage_spec_free(&spec);
	assert_int_equal(chdir("/"), 0);
}

/* It is a program like any other if it can be run. */
static void a_script_may_be_a_command(void **state)
{
	(void)state;
	struct stage_spec spec = {0};
	struct leat_error error = {0};
	assert_int_equal(chdir(scratch_path("")), 0);
	scratch_script("run.py", "#!/bin/sh\n");
	assert_int_equal(stage_spec_parse("./run.py", &spec, &error), 0);
	assert_int_equal(spec.kind, STAGE_COMMAND);
	stage_spec_free(&spec);
	scratch_write("plain.py", "");
	assert_int_equal(stage_spec_parse("./plain.py", &spec, &error), -EINVAL);
	assert_string_equal(
	    error.text, "stage './plain.py': name its function, as in ./plain.py:FUNCTION");
	assert_int_equal(chdir("/"), 0);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
	    {"", "a stage with no command"},
	    {"  \t\n", "a stage with no command"},
	    {"stream:", "a stage with no command"},
	    {"stream:  ", "a stage with no command"},
	    {"a=", "a stage with no command"},
	    {"py:module", "stage 'py:module': write py:MODULE:FUNCTION"},
	    {"py::f", "stage 'py::f': write py:MODULE:FUNCTION"},
	    {"py:", "stage 'py:': write py:MODULE:FUNCTION"},
	    {"py:m:", "stage 'py:m:': write py:MODULE:FUNCTION"},
	    {"py:m:1", "stage 'py:m:1': write py:MODULE:FUNCTION"},
	    {"py:m:f g", "stage 'py:m:f g': write py:MODULE:FUNCTION"},
	    {"py:m:a..b", "stage 'py:m:a..b': write py:MODULE:FUNCTION"},
	    {"line:", "a stage with no command"},
	    {"a=each: ", "a stage with no command"},
	    {"none.c", "stage 'none.c': name its function, as in none.c:FUNCTION"},
	    {"none.so", "stage 'none.so': name its function, as in none.so:FUNCTION"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage_spec spec = {.named = true};
		struct leat_error error = {0};
		assert_int_equal(stage_spec_parse(cases[i].text, &spec, &error), -EINVAL);
		assert_int_equal(error.status, LEAT_CANNOT_START);
		assert_string_equal(error.text, cases[i].why);
		/* What a failing call gives back is left alone. */
		assert_true(spec.named);
		assert_null(spec.name);
	}
}

/* Joins text that is repeated. Returns a string to free(). */
static char *long_text(const char *before, const char *part, int times, const char *after)
{
	char *text = calloc(1, strlen(before) + strlen(part) * (size_t)times + strlen(after) + 1);
	assert_non_null(text);
	char *at = stpcpy(text, before);
	for (int i = 0; i < times; i++)
		at = stpcpy(at, part);
	strcpy(at, after);
	return text;
}

static int parse_long(const char *before, const char *part, int times, const char *after)
{
	struct stage_spec spec = {0};
	struct leat_error error = {0};
	char *text = long_text(before, part, times, after);
	int r = stage_spec_parse(text, &spec, &error);
	if (r < 0) {
		assert_int_equal(error.status, LEAT_CANNOT_START);
		assert_non_null(strstr(error.text, "too long"));
		assert_true(strlen(error.text) < 100);
	}
	stage_spec_free(&spec);
	free(text);
	return r;
}

/* Everything must fit the shared region's tables. */
static void refuses_what_is_too_long(void **state)
{
	(void)state;
	assert_int_equal(parse_long("", "x", 63, "=cat"), 0);
	assert_int_equal(parse_long("", "x", 64, "=cat"), -ENAMETOOLONG);
	assert_int_equal(parse_long("cat ", "x", 4095 - 4, ""), 0);
	assert_int_equal(parse_long("cat ", "x", 4096 - 4, ""), -ENAMETOOLONG);
	assert_int_equal(parse_long("", "x", 4096 - 3, ".py:f"), -ENAMETOOLONG);
	assert_int_equal(parse_long("n=m.py:", "f", 255, ""), 0);
	assert_int_equal(parse_long("n=m.py:", "f", 256, ""), -ENAMETOOLONG);
	assert_int_equal(parse_long("n=py:", "m", 4096, ":f"), -ENAMETOOLONG);
	/* A name that nobody chose, as of a function. */
	assert_int_equal(parse_long("m.py:", "f", 63, ""), 0);
	assert_int_equal(parse_long("m.py:", "f", 64, ""), -ENAMETOOLONG);
}

static void resolves_a_file(void **state)
{
	(void)state;
	struct stage_spec spec = {0};
	struct leat_error error = {0};
	assert_int_equal(chdir(scratch_path("")), 0);
	assert_int_equal(stage_spec_parse("none.py:f", &spec, &error), 0);
	assert_int_equal(stage_spec_resolve(&spec, &error), -ENOENT);
	assert_int_equal(error.status, LEAT_CANNOT_START);
	assert_string_equal(error.text, "stage 'f': none.py: No such file or directory");
	stage_spec_free(&spec);
	scratch_write("there.so", "");
	assert_int_equal(stage_spec_parse("there.so:f", &spec, &error), 0);
	assert_int_equal(stage_spec_resolve(&spec, &error), 0);
	assert_string_equal(spec.object, scratch_path("there.so"));
	stage_spec_free(&spec);
	/* A module is looked for by Python, a command by the shell. */
	assert_int_equal(stage_spec_parse("py:none:f", &spec, &error), 0);
	assert_int_equal(stage_spec_resolve(&spec, &error), 0);
	stage_spec_free(&spec);
	assert_int_equal(stage_spec_parse("leat-has-no-such-program", &spec, &error), 0);
	assert_int_equal(stage_spec_resolve(&spec, &error), 0);
	stage_spec_free(&spec);
	stage_spec_free(&spec);
	assert_int_equal(chdir("/"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_every_form),
	    cmocka_unit_test(its_text_means_the_same),
	    cmocka_unit_test(names_a_command_after_its_script),
	    cmocka_unit_test_setup_teardown(
		a_file_with_a_space_must_exist, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		a_script_may_be_a_command, scratch_setup, scratch_teardown),
	    cmocka_unit_test(says_what_is_wrong),
	    cmocka_unit_test(refuses_what_is_too_long),
	    cmocka_unit_test_setup_teardown(resolves_a_file, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
