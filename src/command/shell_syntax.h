/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shell makes of a command's text, as far as it matters here.
 *
 * Threads: any.
 */
#ifndef SHELL_SYNTAX_H
#define SHELL_SYNTAX_H

#include <stdbool.h>

/* What a shell exits with when it cannot find, or cannot execute, a command. */
#define SHELL_NOT_FOUND	     127
#define SHELL_NOT_EXECUTABLE 126

/* Whether a command is one program with its words, and no work for a shell. */
bool shell_syntax_is_program(const char *command);

#endif
