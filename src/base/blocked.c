/* SPDX-License-Identifier: Apache-2.0 */
#include "blocked.h"

#include "fd.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum blocked {
	BLOCKED_READS,
	BLOCKED_WAITS, /* for a child */
	BLOCKED_OTHERWISE,
};

/* The beginning of a process's file; empty if it cannot be read. */
static void blocked_read(pid_t pid, const char *name, char *text, size_t capacity)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, capacity - 1);
	text[n > 0 ? n : 0] = '\0';
	fd_close(fd);
}

static enum blocked blocked_in(pid_t pid)
{
	char text[64];
	blocked_read(pid, "syscall", text, sizeof(text));
	/* "running", or the call's number and its arguments. */
	char *end = text;
	long call = strtol(text, &end, 10);
	if (end == text)
		return BLOCKED_OTHERWISE;
	if (call == SYS_read && strncmp(end, " 0x0 ", 5) == 0)
		return BLOCKED_READS;
	return call == SYS_wait4 || call == SYS_waitid ? BLOCKED_WAITS : BLOCKED_OTHERWISE;
}

bool blocked_in_read(pid_t group)
{
	DIR *folder = opendir("/proc");
	bool reads = false;
	bool all = true;
	const struct dirent *entry;
	while (folder && all && (entry = readdir(folder))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
		if (pid == 0 || getpgid(pid) != group)
			continue;
		enum blocked in = blocked_in(pid);
		reads |= in == BLOCKED_READS;
		all = in != BLOCKED_OTHERWISE;
	}
	if (folder)
		closedir(folder);
	return all && reads;
}

bool blocked_by_stop(pid_t pid)
{
	char text[128];
	blocked_read(pid, "stat", text, sizeof(text));
	/* The state comes after the program's name, which may hold anything. */
	const char *name_end = strrchr(text, ')');
	return name_end && strncmp(name_end, ") T", 3) == 0;
}
