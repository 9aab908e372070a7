/* SPDX-License-Identifier: Apache-2.0 */
#include "find_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether it is a file that can be executed. Returns 0, -ENOENT or -EACCES. */
static int find_program_look(const char *file)
{
	struct stat status;
	if (stat(file, &status) < 0)
		return -ENOENT;
	return S_ISREG(status.st_mode) && access(file, X_OK) == 0 ? 0 : -EACCES;
}

int find_program(const char *name, char **ret_file)
{
	char usual[256] = "";
	const char *path = strchr(name, '/') ? "" : getenv("PATH");
	/* As a shell and execvp do. */
	if (!path && confstr(_CS_PATH, usual, sizeof(usual)) > 0)
		path = usual;
	int r = -ENOENT;
	while (path) {
		size_t size = strcspn(path, ":");
		char *file = NULL;
		if (asprintf(&file, "%.*s%s%s", (int)size, path, size > 0 ? "/" : "", name) < 0)
			return -ENOMEM;
		int found = find_program_look(file);
		if (found == 0 && ret_file) {
			*ret_file = file;
			return 0;
		}
		free(file);
		if (found == 0)
			return 0;
		/* One that cannot be executed says more than none, if no other can. */
		r = found == -EACCES ? found : r;
		path = path[size] ? path + size + 1 : NULL;
	}
	return r;
}
