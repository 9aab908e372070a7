/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_folder.h"

#include "failure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How a temporary folder is called, so that no other is ever removed. */
#define CACHE_FOLDER_TEMPORARY "/leat-stage-"

/* Makes a folder and those above it, for the user alone. */
static int cache_folder_make(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* Most are there already; if one cannot be made, nor can the last. */
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* The user's own. Returns 1; 0 when there is none, or none that can be written; or -errno. */
static int cache_folder_of_user(char **ret_folder)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	bool has_cache = cache && cache[0] == '/';
	if (!has_cache && !(home && home[0] == '/'))
		return 0;
	char *folder = NULL;
	if (asprintf(&folder, "%s%s/leat", has_cache ? cache : home, has_cache ? "" : "/.cache") <
	    0)
		return -ENOMEM;
	struct stat status;
	if (cache_folder_make(folder) < 0 || stat(folder, &status) < 0 ||
	    !S_ISDIR(status.st_mode) || access(folder, W_OK | X_OK) < 0) {
		free(folder);
		return 0;
	}
	*ret_folder = folder;
	return 1;
}

static int cache_folder_temporary(char **ret_folder)
{
	const char *base = getenv("TMPDIR");
	char *folder = NULL;
	if (asprintf(&folder, "%s" CACHE_FOLDER_TEMPORARY "XXXXXX",
		base && base[0] == '/' ? base : "/tmp") < 0)
		return -ENOMEM;
	if (!mkdtemp(folder)) {
		int r = -errno;
		free(folder);
		return r;
	}
	*ret_folder = folder;
	return 0;
}

int cache_folder_open(const char *stage, char **ret_folder, struct leat_error *reterr)
{
	char *folder = NULL;
	int r = cache_folder_of_user(&folder);
	if (r == 0)
		r = cache_folder_temporary(&folder);
	if (r < 0)
		return failure(reterr, LEAT_CANNOT_START, r,
		    "stage '%s': no folder to compile into: %s; set HOME, XDG_CACHE_HOME or TMPDIR",
		    stage, strerror(-r));
	struct stat status;
	if (stat(folder, &status) < 0 || status.st_uid != geteuid() ||
	    (status.st_mode & (S_IWGRP | S_IWOTH))) {
		failure(reterr, LEAT_CANNOT_START, -EPERM,
		    "stage '%s': the cache folder %s is not yours alone to write in; "
		    "set XDG_CACHE_HOME to another",
		    stage, folder);
		free(folder);
		return -EPERM;
	}
	*ret_folder = folder;
	return 0;
}

void cache_folder_discard(const char *folder)
{
	const char *base = folder ? strrchr(folder, '/') : NULL;
	if (!base || strncmp(base, CACHE_FOLDER_TEMPORARY, strlen(CACHE_FOLDER_TEMPORARY)) != 0)
		return;
	DIR *entries = opendir(folder);
	const struct dirent *entry;
	while (entries && (entry = readdir(entries)))
		(void)unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries)
		closedir(entries);
	(void)rmdir(folder);
}

void cache_folder_close(const char *object)
{
	const char *end = object ? strrchr(object, '/') : NULL;
	char *folder = end ? strndup(object, (size_t)(end - object)) : NULL;
	cache_folder_discard(folder);
	free(folder);
}
