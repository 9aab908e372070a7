/* SPDX-License-Identifier: Apache-2.0 */
#include "asleep.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

bool asleep(pid_t id)
{
	char path[64];
	char text[256] = "";
	/* A thread is not listed in /proc, but is there. */
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)id);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	/* NUMBER (NAME) STATE */
	const char *name_end = n > 0 ? strrchr(text, ')') : NULL;
	return name_end && name_end[1] == ' ' && name_end[2] == 'S';
}

void asleep_await(pid_t id)
{
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	for (int i = 0; i < 10000; i++) {
		if (asleep(id))
			return;
		nanosleep(&nap, NULL);
	}
	fail_msg("%d does not fall asleep", (int)id);
}
