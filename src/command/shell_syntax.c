/* SPDX-License-Identifier: Apache-2.0 */
#include "shell_syntax.h"

#include <stddef.h>
#include <string.h>

/*
 * The first character outside of quotes that makes more of a command than one program:
 * an operator, a substitution, a second line. NULL if there is none.
 */
static const char *shell_syntax_operator(const char *command)
{
	char quote = '\0';
	for (const char *at = command; *at; at++) {
		if (*at == '\\' && quote != '\'' && at[1])
			at++;
		else if (quote ? *at == quote : *at == '\'' || *at == '"')
			quote = quote ? '\0' : *at;
		else if (strchr(quote == '"' ? "`$" : "`$;&|(){}<>\n#~", *at) && quote != '\'')
			return at;
	}
	return NULL;
}

/* Whether the first word names a program, and nothing that only a shell knows. */
static bool shell_syntax_is_name(const char *command)
{
	static const char *const known[] = {"alias", "break", "case", "cd", "command", "continue",
	    "echo", "eval", "exec", "exit", "export", "false", "for", "if", "kill", "printf", "pwd",
	    "read", "return", "set", "shift", "test", "times", "trap", "true", "type", "ulimit",
	    "umask", "unset", "until", "wait", "while"};
	size_t size = strspn(command, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_/+-.");
	if (size == 0 || (command[size] && command[size] != ' ') || strncmp(command, ". ", 2) == 0)
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i]) == size && memcmp(known[i], command, size) == 0)
			return false;
	}
	return true;
}

bool shell_syntax_is_program(const char *command)
{
	const char *start = command + strspn(command, " ");
	return shell_syntax_is_name(start) && !shell_syntax_operator(start);
}
