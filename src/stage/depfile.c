/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quoting is that of gcc and clang: a blank has a backslash before it, and
 * backslashes before that are doubled; # has one, $ is doubled; a backslash at
 * the end of a line goes on to the next line; any other backslash is itself.
 */
#include "depfile.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool depfile_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Skips what separates two paths of one rule. */
static char *depfile_skip(char *at)
{
	for (;;) {
		if (depfile_is_blank(at[0]))
			at++;
		else if (at[0] == '\\' && at[1] == '\n')
			at += 2;
		else
			return at;
	}
}

/* Copies a run of backslashes and what the last of them quotes. Returns whether the path goes on.
 */
static bool depfile_unquote(char **from, char **to)
{
	size_t n = strspn(*from, "\\");
	char next = (*from)[n];
	bool quoted = next == '#' || (depfile_is_blank(next) && n % 2 == 1);
	size_t kept = n;
	if (depfile_is_blank(next))
		kept = n / 2;
	else if (next == '#' || next == '\n')
		kept = n - 1;
	memset(*to, '\\', kept);
	*to += kept;
	/* The backslash at the end of a line is depfile_skip()'s. */
	*from += next == '\n' ? n - 1 : n;
	if (quoted)
		*(*to)++ = *(*from)++;
	return next != '\n';
}

char *depfile_next(char **at)
{
	char *from = depfile_skip(*at);
	char *path = from;
	char *to = from;
	while (*from && *from != '\n' && !depfile_is_blank(*from)) {
		if (*from == '\\') {
			if (!depfile_unquote(&from, &to))
				break;
		} else {
			from += from[0] == '$' && from[1] == '$';
			*to++ = *from++;
		}
	}
	if (to == path)
		return NULL;
	/* Past the end of this path first: the NUL may fall on it. */
	*at = depfile_skip(from);
	*to = '\0';
	return path;
}
