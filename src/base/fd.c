/* SPDX-License-Identifier: Apache-2.0 */
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A descriptor that somebody else made non-blocking: wait for room as a blocking one would. */
static int fd_wait_writable(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLOUT};
	return poll(&item, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int fd_write_vector(int fd, struct iovec *vector, int n)
{
	while (n > 0) {
		ssize_t wrote = writev(fd, vector, n);
		if (wrote < 0) {
			int r = errno == EINTR	  ? 0
				: errno == EAGAIN ? fd_wait_writable(fd)
						  : -errno;
			if (r < 0)
				return r;
			continue;
		}
		size_t left = (size_t)wrote;
		while (n > 0 && left >= vector->iov_len) {
			left -= vector->iov_len;
			vector++;
			n--;
		}
		if (n > 0) {
			vector->iov_base = (char *)vector->iov_base + left;
			vector->iov_len -= left;
		}
	}
	return 0;
}

int fd_write(int fd, const void *data, size_t size)
{
	struct iovec one = {.iov_base = (void *)data, .iov_len = size};
	return fd_write_vector(fd, &one, 1);
}

int fd_wide_pipe(int ret_ends[2])
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* Past the system's or the user's limit it is EPERM, and half may do. */
	int usual = fcntl(ends[1], F_GETPIPE_SZ);
	for (int size = FD_PIPE_BYTES; size > usual; size /= 2) {
		if (fcntl(ends[1], F_SETPIPE_SZ, size) >= 0)
			break;
	}
	ret_ends[0] = ends[0];
	ret_ends[1] = ends[1];
	return 0;
}

int fd_temporary(void)
{
	const char *folder = getenv("TMPDIR");
	if (!folder || !*folder)
		folder = "/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* Not every file system has O_TMPFILE. */
	char *path = NULL;
	if (asprintf(&path, "%s/leat-XXXXXX", folder) < 0)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	int r = fd < 0 ? -errno : fd;
	if (fd >= 0)
		unlink(path);
	free(path);
	return r;
}

int fd_bell(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

void fd_ring(int bell)
{
	uint64_t one = 1;
	ssize_t n;
	do
		n = write(bell, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

void fd_clear_bell(int bell)
{
	uint64_t count;
	ssize_t n;
	do
		n = read(bell, &count, sizeof(count));
	while (n < 0 && errno == EINTR);
}
