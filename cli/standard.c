/* SPDX-License-Identifier: Apache-2.0 */
#include "standard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void standard_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* Opened the wrong way round, so that a use fails with EBADF. */
		int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode) != fd)
			_exit(LEAT_CANNOT_START);
	}
}

static int standard_fail(const char *what, int code)
{
	fprintf(stderr, "leat: %s: %s\n", what, strerror(-code));
	return code;
}

/* A file of the user's, or the standard descriptor moved out of the way. */
static int standard_input(struct leat_options *options, const char *path)
{
	options->in_fd = path ? open(path, O_RDONLY | O_CLOEXEC)
			      : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (options->in_fd < 0)
		return standard_fail(path ? path : "stdin", -errno);
	options->in_name = path ? path : "stdin";
	return 0;
}

static bool standard_is_input(const struct leat_options *options, const char *path)
{
	struct stat in;
	struct stat out;
	return fstat(options->in_fd, &in) == 0 && stat(path, &out) == 0 && S_ISREG(in.st_mode) &&
	       in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static int standard_output(struct leat_options *options, const char *path)
{
	if (path && standard_is_input(options, path)) {
		fprintf(stderr, "leat: %s: is the input too; it would be emptied\n", path);
		return -EINVAL;
	}
	options->out_fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)
			       : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (options->out_fd < 0)
		return standard_fail(path ? path : "stdout", -errno);
	/* A run that cannot start leaves what is in it. */
	options->empty_out = path != NULL;
	if (path)
		options->out_name = path;
	return 0;
}

int standard_take(struct leat_options *options, const char *in_path, const char *out_path)
{
	int r = standard_input(options, in_path);
	if (r == 0)
		r = standard_output(options, out_path);
	if (r < 0)
		return r;
	int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (empty < 0 || dup2(empty, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		r = standard_fail("/dev/null", -errno);
	if (empty >= 0)
		close(empty);
	return r;
}

int standard_close(struct leat_options *options)
{
	close(options->in_fd);
	if (close(options->out_fd) == 0)
		return 0;
	return standard_fail(options->out_name, -errno);
}
