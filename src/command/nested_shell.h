/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record inside the text of a further shell, as in `bash -c "echo {}"`: our shell gives it
 * unharmed, and that one would read it as code.
 *
 * Threads: any.
 */
#ifndef NESTED_SHELL_H
#define NESTED_SHELL_H

#include <stdbool.h>
#include <stddef.h>

#define NESTED_PROGRAM_MAX 32

/*
 * Whether a command has its record, {} or $1, in a text for `sh -c` and its like, or for eval. A
 * text for sh -c that is the record alone is meant to be code, and is no such.
 * ret_program: who would read it, cut to its capacity.
 */
bool nested_shell_reads_record(const char *command, char ret_program[static NESTED_PROGRAM_MAX]);

#endif
