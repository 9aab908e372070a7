/* SPDX-License-Identifier: Apache-2.0 */
#include "tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int tempfile_open(void)
{
	const char *directory = getenv("TMPDIR");
	if (!directory || !directory[0])
		directory = "/tmp";
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* Some file systems know no files without a name. */
	char *path = NULL;
	if (asprintf(&path, "%s/leat-XXXXXX", directory) < 0)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	int r = fd < 0 ? -errno : fd;
	if (fd >= 0)
		unlink(path);
	free(path);
	return r;
}

/* Writes everything; 0 or -errno. */
static int tempfile_write(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int tempfile_copy(int from)
{
	int fd = tempfile_open();
	if (fd < 0)
		return fd;
	char chunk[64 * 1024];
	for (;;) {
		ssize_t n = read(from, chunk, sizeof(chunk));
		int r = n < 0 ? -errno : tempfile_write(fd, chunk, (size_t)n);
		if (r < 0) {
			close(fd);
			return r;
		}
		if (n == 0)
			return fd;
	}
}
