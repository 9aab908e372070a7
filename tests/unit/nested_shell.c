/* SPDX-License-Identifier: Apache-2.0 */
#include "nested_shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* program: who would read the record as code; NULL: nobody. */
static const struct {
	const char *command;
	const char *program;
} cases[] = {
    {"sh -c 'echo {}'", "sh -c"},
    {"sh -c \"echo {}\"", "sh -c"},
    {"sh -c \"echo $1\"", "sh -c"},
    {"sh -c \"echo ${1}\"", "sh -c"},
    {"sh -c echo\\ {}", "sh -c"},
    {"bash -ec 'a; b {}'", "bash -c"},
    {"bash -e -o pipefail -c 'a {}'", "bash -c"},
    {"bash -euo pipefail -c 'a {}'", "bash -c"},
    {"bash -o pipefail script {}", NULL},
    {"sh '' {}", NULL},
    {"/bin/dash -c 'cat <{}' | sort", "/bin/dash -c"},
    {"x | env A=1 bash -c \"{} x\"", "bash -c"},
    {"timeout 5 sh -c 'sleep {}'", "sh -c"},
    {"a && sh -c 'b {}'", "sh -c"},
    {"eval echo {}", "eval"},
    {"eval \"{}\"", "eval"},
    {"x; eval $1", "eval"},
    /* As arguments they are safe. */
    {"sh -c 'echo \"$1\"' sh {}", NULL},
    {"sh -c \"echo \\$1\" sh \"$1\"", NULL},
    {"bash script.sh {}", NULL},
    {"bash script.sh -c {}", NULL},
    {"sh -c 'echo x'; echo {}", NULL},
    {"sh -c 'echo x' | grep {}", NULL},
    {"echo {} sh", NULL},
    {"echo evaluate {}", NULL},
    {"awk '{ print }' {}", NULL},
    {"", NULL},
    {"'", NULL},
    {"sh -c", NULL},
    /* Meant to be code. */
    {"sh -c {}", NULL},
    {"bash -c \"$1\"", NULL},
};

static void tells_who_would_read_the_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char program[NESTED_PROGRAM_MAX] = "";
		bool reads = nested_shell_reads_record(cases[i].command, program);
		if (reads != (cases[i].program != NULL))
			fail_msg("%s: %s", cases[i].command, reads ? "told" : "not told");
		if (reads)
			assert_string_equal(program, cases[i].program);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_who_would_read_the_record),
	};
	return cmocka_run_group_tests_name("nested", tests, NULL, NULL);
}
