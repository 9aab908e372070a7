/* SPDX-License-Identifier: Apache-2.0 */
#include "depfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What follows the colon, and the paths in it, each ended by '|'. */
static const struct {
	const char *text;
	const char *paths;
} cases[] = {
    {"", ""},
    {" \n", ""},
    {" mul.c\n", "mul.c|"},
    {" mul.c", "mul.c|"},
    {" mul.c /usr/include/leat.h\n", "mul.c|/usr/include/leat.h|"},
    {" mul.c \\\n a.h \\\n\tb.h\n", "mul.c|a.h|b.h|"},
    {" mul.c\\\nb.h\n", "mul.c|b.h|"},
    {" \\\n a.h\n", "a.h|"},
    {" a.h\n\nb.h:\n", "a.h|"},
    {" my\\ file.c b\n", "my file.c|b|"},
    {" a\\\\\\ b.h\n", "a\\ b.h|"},
    {" a\\\\ b.h\n", "a\\|b.h|"},
    {" a\\b.h\n", "a\\b.h|"},
    {" \\#a\\#b.h\n", "#a#b.h|"},
    {" $$a$b$$.h\n", "$a$b$.h|"},
    {" a:b.h\n", "a:b.h|"},
    {" a\\", "a\\|"},
    {" a\\ ", "a |"},
    {" \xc3\xa4.h\n", "\xc3\xa4.h|"},
};

static void takes_each_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		char paths[64] = "";
		strcpy(text, cases[i].text);
		char *at = text;
		for (const char *path = depfile_next(&at); path; path = depfile_next(&at))
			strcat(strcat(paths, path), "|");
		assert_string_equal(paths, cases[i].paths);
		assert_null(depfile_next(&at));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(takes_each_path)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
