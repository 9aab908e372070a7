/* SPDX-License-Identifier: Apache-2.0 */
#include "input_wait.h"

#include "fd.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum input_wait {
	BLOCKED_READS,
	BLOCKED_WAITS, /* for a child, or for another thread */
	BLOCKED_OTHERWISE,
};

/* The beginning of a file; empty if it cannot be read. */
static void input_wait_load(const char *path, char *text, size_t capacity)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, capacity - 1);
	text[n > 0 ? n : 0] = '\0';
	fd_close(fd);
}

static enum input_wait input_wait_thread(pid_t pid, pid_t thread)
{
	char path[64];
	char text[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)pid, (int)thread);
	input_wait_load(path, text, sizeof(text));
	/* "running", or the call's number and its arguments. */
	char *end = text;
	long call = strtol(text, &end, 10);
	if (end == text)
		return BLOCKED_OTHERWISE;
	/* Some libraries' stdio fills its buffer by readv. */
	if ((call == SYS_read || call == SYS_readv) && strncmp(end, " 0x0 ", 5) == 0)
		return BLOCKED_READS;
	return call == SYS_wait4 || call == SYS_waitid || call == SYS_futex ? BLOCKED_WAITS
									    : BLOCKED_OTHERWISE;
}

/* The number that is the next entry's name; 0: there is none left. */
static pid_t input_wait_next(DIR *folder)
{
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			return atoi(entry->d_name);
	}
	return 0;
}

/* Of all its threads: nobody is at work, and somebody reads. */
static enum input_wait input_wait_process(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *folder = opendir(path);
	enum input_wait all = folder ? BLOCKED_WAITS : BLOCKED_OTHERWISE;
	for (pid_t thread; all != BLOCKED_OTHERWISE && (thread = input_wait_next(folder)) > 0;) {
		enum input_wait in = input_wait_thread(pid, thread);
		if (in != BLOCKED_WAITS)
			all = in;
	}
	if (folder)
		closedir(folder);
	return all;
}

bool input_wait_in_read(pid_t group)
{
	DIR *folder = opendir("/proc");
	bool reads = false;
	bool all = true;
	for (pid_t pid; all && (pid = input_wait_next(folder)) > 0;) {
		if (getpgid(pid) != group)
			continue;
		enum input_wait in = input_wait_process(pid);
		reads |= in == BLOCKED_READS;
		all = in != BLOCKED_OTHERWISE;
	}
	if (folder)
		closedir(folder);
	return all && reads;
}

char input_wait_state(pid_t pid)
{
	char path[64];
	char text[128];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	input_wait_load(path, text, sizeof(text));
	/* The state comes after the program's name, which may hold anything. */
	const char *name_end = strrchr(text, ')');
	return name_end && strncmp(name_end, ") ", 2) == 0 ? name_end[2] : '\0';
}
