/* SPDX-License-Identifier: Apache-2.0 */
#include "find_program.h"

#include "scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_found(const char *name, const char *expected)
{
	char *file = NULL;
	assert_int_equal(find_program(name, &file), 0);
	assert_string_equal(file, expected);
	free(file);
	assert_int_equal(find_program(name, NULL), 0);
}

static void make(const char *name, mode_t mode)
{
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(chmod(name, mode), 0);
}

static void finds_what_would_be_executed(void **state)
{
	(void)state;
	assert_int_equal(chdir(scratch_path(".")), 0);
	assert_int_equal(mkdir("one", 0700), 0);
	assert_int_equal(mkdir("two", 0700), 0);
	assert_int_equal(mkdir("one/folder", 0700), 0);
	make("one/plain", 0600);
	make("two/plain", 0700);
	make("two/program", 0700);
	make("here", 0700);
	assert_int_equal(setenv("PATH", "none:one:two", 1), 0);
	assert_found("program", "two/program");
	/* What cannot be executed is passed by for what can. */
	assert_found("plain", "two/plain");
	assert_found("./here", "./here");
	assert_found("two/program", "two/program");
	char *file = NULL;
	assert_int_equal(find_program("here", &file), -ENOENT);
	assert_int_equal(find_program("one/plain", &file), -EACCES);
	assert_int_equal(find_program("folder", &file), -EACCES);
	assert_int_equal(find_program("./none", &file), -ENOENT);
	assert_null(file);
	/* An empty part of PATH is the current folder. */
	assert_int_equal(setenv("PATH", "one:", 1), 0);
	assert_found("here", "here");
	assert_int_equal(unsetenv("PATH"), 0);
	assert_int_equal(find_program("program", &file), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		finds_what_would_be_executed, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
