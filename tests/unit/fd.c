/* SPDX-License-Identifier: Apache-2.0 */
#include "fd.h"

#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MUCH (1 << 20)

static void closes_what_is_open(void **state)
{
	(void)state;
	assert_int_equal(fd_close(-1), -1);
	assert_int_equal(fd_close(-EBADF), -1);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_close(fd), -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

struct reader {
	pthread_t thread;
	int fd;
	char data[MUCH];
	size_t size;
};

static void *reader_run(void *argument)
{
	struct reader *reader = argument;
	ssize_t n;
	/* Odd pieces, so that the writer stops in the middle of its own. */
	while ((n = read(reader->fd, reader->data + reader->size,
		    reader->size + 7001 < MUCH ? 7001 : MUCH - reader->size)) > 0)
		reader->size += (size_t)n;
	return NULL;
}

/* Writes a vector of very different sizes through a pipe that is mostly full. */
static void check_vector(int flags)
{
	static const size_t sizes[] = {0, 1, 70000, 0, 0, 3, 200001, 4096, 0};
	char *data = malloc(MUCH);
	struct reader *reader = calloc(1, sizeof(*reader));
	int ends[2];
	assert_non_null(data);
	assert_non_null(reader);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
	reader->fd = ends[0];
	size_t total = 0;
	struct iovec vector[9];
	for (size_t i = 0; i < 9; i++) {
		vector[i] = (struct iovec){data + total, sizes[i]};
		total += sizes[i];
	}
	for (size_t i = 0; i < total; i++)
		data[i] = (char)(i * 31 + i / 257);
	assert_int_equal(pthread_create(&reader->thread, NULL, reader_run, reader), 0);
	int r = fd_write_vector(ends[1], vector, 9);
	close(ends[1]);
	pthread_join(reader->thread, NULL);
	assert_int_equal(r, 0);
	assert_int_equal(reader->size, total);
	assert_memory_equal(reader->data, data, total);
	close(ends[0]);
	free(reader);
	free(data);
}

static void writes_everything(void **state)
{
	(void)state;
	check_vector(0);
}

/* Somebody else's flag on a shared pipe is no error of ours. */
static void writes_everything_without_blocking(void **state)
{
	(void)state;
	check_vector(O_NONBLOCK);
}

static void writes_nothing(void **state)
{
	(void)state;
	struct iovec empty[2] = {{NULL, 0}, {NULL, 0}};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(fd_write(fd, "", 0), 0);
	assert_int_equal(fd_write_vector(fd, empty, 2), 0);
	assert_int_equal(fd_write_vector(fd, NULL, 0), 0);
	close(fd);
}

static void says_why_it_cannot_write(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(fd_write(-1, "x", 1), -EBADF);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(fd_write(full, "x", 1), -ENOSPC);
	close(full);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(fd_write(ends[1], "x", 1), -EPIPE);
	close(ends[1]);
	signal(SIGPIPE, SIG_DFL);
}

static int entries(const char *folder)
{
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	int n = 0;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void a_temporary_file_has_no_name(void **state)
{
	(void)state;
	struct stat info;
	struct stat folder;
	const char *path = scratch_path("");
	setenv("TMPDIR", path, 1);
	int fd = fd_temporary();
	assert_true(fd >= 0);
	assert_int_equal(entries(path), 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(stat(path, &folder), 0);
	assert_int_equal(info.st_nlink, 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(info.st_dev, folder.st_dev);
	assert_int_equal(fd_write(fd, "abc", 3), 0);
	char back[3];
	assert_int_equal(pread(fd, back, 3, 0), 3);
	assert_memory_equal(back, "abc", 3);
	close(fd);
	setenv("TMPDIR", scratch_path("none"), 1);
	assert_int_equal(fd_temporary(), -ENOENT);
	setenv("TMPDIR", "", 1);
	fd = fd_temporary();
	assert_true(fd >= 0);
	close(fd);
	unsetenv("TMPDIR");
}

static int readable(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};
	return poll(&item, 1, 0);
}

static void a_bell_is_heard_once(void **state)
{
	(void)state;
	int bell = fd_bell();
	assert_true(bell >= 0);
	assert_int_equal(fcntl(bell, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(readable(bell), 0);
	fd_clear_bell(bell);
	fd_ring(bell);
	fd_ring(bell);
	assert_int_equal(readable(bell), 1);
	fd_clear_bell(bell);
	assert_int_equal(readable(bell), 0);
	/* At the count's end ringing is needless, and must not block. */
	uint64_t most = UINT64_MAX - 1;
	assert_int_equal(write(bell, &most, sizeof(most)), sizeof(most));
	fd_ring(bell);
	assert_int_equal(readable(bell), 1);
	fd_clear_bell(bell);
	assert_int_equal(readable(bell), 0);
	close(bell);
}

static long system_limit(const char *name)
{
	char path[64];
	char text[32] = "";
	snprintf(path, sizeof(path), "/proc/sys/fs/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strtol(text, NULL, 10);
}

static long wide_pipe_size(void)
{
	int ends[2];
	assert_int_equal(fd_wide_pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(ends[1], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fd_write(ends[1], "abc", 3), 0);
	char back[3];
	assert_int_equal(read(ends[0], back, 3), 3);
	long size = fcntl(ends[0], F_GETPIPE_SZ);
	close(ends[0]);
	close(ends[1]);
	return size;
}

/* In a process that may not have more than any user may: as many as its pages allow. */
static void wide_pipes_until_the_users_limit(void)
{
	long room = system_limit("pipe-user-pages-soft") * getpagesize();
	if (setuid(65533) != 0 && getuid() == 0)
		_exit(2);
	int ends[2];
	long size = FD_PIPE_BYTES;
	long before = size;
	for (long given = 0; given < room + FD_PIPE_BYTES && size == FD_PIPE_BYTES; given += size) {
		before = size;
		if (fd_wide_pipe(ends) < 0)
			_exit(3);
		size = fcntl(ends[0], F_GETPIPE_SZ);
	}
	/* The last one got less, and works. */
	bool less = before == FD_PIPE_BYTES && size < before && size > 0;
	_exit(less && fd_write(ends[1], "abc", 3) == 0 ? 0 : 4);
}

static void a_wide_pipe_has_what_the_user_may_have(void **state)
{
	(void)state;
	long most = system_limit("pipe-max-size");
	if (geteuid() != 0) {
		assert_true(wide_pipe_size() > 0);
		return;
	}
	assert_int_equal(wide_pipe_size(), FD_PIPE_BYTES);
	if (most < FD_PIPE_BYTES || system_limit("pipe-user-pages-soft") == 0)
		return;
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		wide_pipes_until_the_users_limit();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closes_what_is_open),
	    cmocka_unit_test(writes_everything),
	    cmocka_unit_test(writes_everything_without_blocking),
	    cmocka_unit_test(writes_nothing),
	    cmocka_unit_test(says_why_it_cannot_write),
	    cmocka_unit_test(a_wide_pipe_has_what_the_user_may_have),
	    cmocka_unit_test_setup_teardown(
		a_temporary_file_has_no_name, scratch_setup, scratch_teardown),
	    cmocka_unit_test(a_bell_is_heard_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
