/* SPDX-License-Identifier: Apache-2.0 */
#include "install_paths.h"

#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *install_paths_program(void)
{
	return realpath("/proc/self/exe", NULL);
}

/* The folder of the program, and whether it is the one it was built in. */
static char *install_paths_program_dir(bool *ret_built)
{
	char *path = install_paths_program();
	char *slash = path ? strrchr(path, '/') : NULL;
	if (slash)
		*slash = '\0';
	*ret_built = path && strcmp(path, CONFIG_BUILD_ROOT) == 0;
	return path;
}

static char *install_paths_path(const char *built, const char *installed)
{
	bool is_built = false;
	char *dir = install_paths_program_dir(&is_built);
	char *path = NULL;
	if (is_built)
		path = strdup(built);
	else if (dir && asprintf(&path, "%s/%s", dir, installed) < 0)
		path = NULL;
	free(dir);
	return path;
}

char *install_paths_include_dir(void)
{
	return install_paths_path(CONFIG_SOURCE_ROOT "/include", CONFIG_BIN_TO_INCLUDE);
}

char *install_paths_python_dir(void)
{
	return install_paths_path(CONFIG_SOURCE_ROOT "/python/leat", CONFIG_BIN_TO_PYTHON);
}

char *install_paths_library(void)
{
	return install_paths_path(CONFIG_BUILD_ROOT "/" CONFIG_LIBRARY, CONFIG_BIN_TO_LIBRARY);
}
