/* SPDX-License-Identifier: Apache-2.0 */
#include "command_argv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define R "\1"

/* What a command comes to, its words joined by '|'; NULL: a shell is needed. */
static const struct {
	const char *command;
	bool with_record;
	const char *words;
} cases[] = {
    {"gzip -c", false, "gzip|-c"},
    {"  /usr/bin/sort\t-n  ", false, "/usr/bin/sort|-n"},
    {"grep 'a b' \"c d\" e\\ f", false, "grep|a b|c d|e f"},
    {"x ''", false, "x|"},
    {"x a'b'\"c\"d", false, "x|abcd"},
    {"x \"a\\\"b\\\\c\\d\\$e\"", false, "x|a\"b\\c\\d$e"},
    {"x 'it'\\''s'", false, "x|it's"},
    {"x --a=b", false, "x|--a=b"},
    {"awk '{print $1 * 2}'", false, "awk|{print $1 * 2}"},
    {"sed -u s/a/b/", false, "sed|-u|s/a/b/"},
    {"cp {} to/{}.bak", true, "cp|" R "|to/" R ".bak"},
    {"x \"$1\" \"a$1b{}c\"", true, "x|" R "|a" R "b" R "c"},
    {"x 'a{}b'", true, "x|a" R "b"},
    {"x '$1'", true, "x|$1"},
    {"echo {}", true, "echo|" R},
    {"test {} -gt 3", true, "test|" R "|-gt|3"},
    /* Work for a shell. */
    {"echo {}", false, NULL},
    {"test 1", false, NULL},
    {"x $1", true, NULL},
    {"x \"$1\"", false, NULL},
    {"x \"${1}\"", true, NULL},
    {"a | b", false, NULL},
    {"a; b", false, NULL},
    {"a && b", false, NULL},
    {"a >b", false, NULL},
    {"a `b`", false, NULL},
    {"a \"`b`\"", false, NULL},
    {"a *.c", false, NULL},
    {"a [b]", false, NULL},
    {"a ~", false, NULL},
    {"a #b", false, NULL},
    {"a {b}", false, NULL},
    {"A=1 b", false, NULL},
    {"cd x", true, NULL},
    {"exec x", true, NULL},
    {"if x", true, NULL},
    {"! x", false, NULL},
    {"a\nb", false, NULL},
    {"a 'b", false, NULL},
    {"a \"b", false, NULL},
    {"a \\", false, NULL},
    {"a \1", true, NULL},
    {"a '\1'", true, NULL},
    {"", false, NULL},
};

static void splits_what_needs_no_shell(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct command_argv words;
		char joined[256] = "";
		assert_int_equal(
		    command_argv_split(cases[i].command, cases[i].with_record, &words), 0);
		for (size_t k = 0; k < words.n; k++) {
			strcat(joined, k > 0 ? "|" : "");
			strcat(joined, words.words[k]);
		}
		assert_null(words.words[words.n]);
		if (cases[i].words)
			assert_string_equal(joined, cases[i].words);
		else
			assert_int_equal(words.n, 0);
		command_argv_free(&words);
	}
}

static void leaves_very_many_words_to_a_shell(void **state)
{
	(void)state;
	char command[4 * COMMAND_ARGV_MAX] = "";
	struct command_argv words;
	for (size_t i = 0; i < COMMAND_ARGV_MAX; i++)
		strcat(command, "a ");
	assert_int_equal(command_argv_split(command, false, &words), 0);
	assert_int_equal(words.n, COMMAND_ARGV_MAX);
	command_argv_free(&words);
	strcat(command, "a");
	assert_int_equal(command_argv_split(command, false, &words), 0);
	assert_int_equal(words.n, 0);
}

/* The shell itself says what the scripts mean. */
static void a_script_gets_the_record_unharmed(void **state)
{
	(void)state;
	static const char *const scripts[] = {
	    "printf %s {} | cat",
	    "printf %s \"{}\" | cat",
	    "printf %s '{}' | cat",
	    "printf %s ''{}'' | cat",
	    "x=\"a\\\"\"; printf %s {} | cat",
	    "printf %s \"$1\" | cat",
	};
	static const char record[] = "$(touch /nowhere/x) \"; 'a' `b` \\ * {} $1 -n";
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		char *script = command_argv_script(scripts[i]);
		assert_non_null(script);
		char out[256] = "";
		assert_int_equal(setenv("SCRIPT", script, 1), 0);
		assert_int_equal(setenv("RECORD", record, 1), 0);
		FILE *from = popen("sh -c \"$SCRIPT\" sh \"$RECORD\"", "r");
		assert_non_null(from);
		out[fread(out, 1, sizeof(out) - 1, from)] = '\0';
		assert_int_equal(pclose(from), 0);
		assert_string_equal(out, record);
		free(script);
	}
}

static void fills_a_record_in(void **state)
{
	(void)state;
	char plain[] = "abc";
	char one[] = "a" R "b";
	char two[] = R R;
	assert_ptr_equal(command_argv_fill(plain, "x", 1), plain);
	char *filled = command_argv_fill(one, "x\1yz", 3);
	assert_string_equal(filled, "ax\1yb");
	free(filled);
	filled = command_argv_fill(two, "ab", 2);
	assert_string_equal(filled, "abab");
	free(filled);
	filled = command_argv_fill(one, NULL, 0);
	assert_string_equal(filled, "ab");
	free(filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(splits_what_needs_no_shell),
	    cmocka_unit_test(leaves_very_many_words_to_a_shell),
	    cmocka_unit_test(a_script_gets_the_record_unharmed),
	    cmocka_unit_test(fills_a_record_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
