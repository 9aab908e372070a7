/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char scratch_folder[64];
static char *scratch_kept[256];
static size_t scratch_n_kept;
static int scratch_start = -1;

/* Keeps what was allocated until the tear-down. */
static const char *scratch_keep(char *text)
{
	assert_non_null(text);
	assert_true(scratch_n_kept < sizeof(scratch_kept) / sizeof(scratch_kept[0]));
	scratch_kept[scratch_n_kept++] = text;
	return text;
}

int scratch_setup(void **state)
{
	(void)state;
	strcpy(scratch_folder, "/tmp/leat-test-XXXXXX");
	scratch_start = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scratch_start < 0 || !mkdtemp(scratch_folder))
		return -1;
	setenv("XDG_CACHE_HOME", scratch_folder, 1);
	unsetenv("CC");
	unsetenv("CFLAGS");
	return 0;
}

static int scratch_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int scratch_teardown(void **state)
{
	(void)state;
	while (scratch_n_kept > 0)
		free(scratch_kept[--scratch_n_kept]);
	int r = fchdir(scratch_start);
	close(scratch_start);
	if (r < 0)
		return r;
	return nftw(scratch_folder, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
	char *path = NULL;
	assert_true(asprintf(&path, "%s/%s", scratch_folder, name) > 0);
	return scratch_keep(path);
}

static const char *scratch_put(const char *name, const char *content, mode_t mode)
{
	const char *path = scratch_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(close(fd), 0);
	return path;
}

const char *scratch_write(const char *name, const char *content)
{
	return scratch_put(name, content, 0600);
}

const char *scratch_script(const char *name, const char *content)
{
	return scratch_put(name, content, 0700);
}

const char *scratch_read(const char *name)
{
	char *content = calloc(1, 1 << 16);
	assert_non_null(content);
	int fd = open(scratch_path(name), O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		assert_true(read(fd, content, (1 << 16) - 1) >= 0);
		close(fd);
	}
	return scratch_keep(content);
}

int scratch_cached(const char *ending)
{
	int n = 0;
	DIR *folder = opendir(scratch_path("leat"));
	if (!folder)
		return 0;
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		size_t size = strlen(entry->d_name);
		if (entry->d_name[0] != '.' && size >= strlen(ending) &&
		    strcmp(entry->d_name + size - strlen(ending), ending) == 0)
			n++;
	}
	closedir(folder);
	return n;
}

const char *scratch_include(void)
{
	/* A test that is run by hand is run where the sources are. */
	const char *source = getenv("LEAT_SOURCE");
	char path[4096];
	snprintf(path, sizeof(path), "%s/include", source ? source : ".");
	return scratch_keep(realpath(path, NULL));
}
