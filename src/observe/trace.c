/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing and reading a trace.
 *
 * A reader meets traces of runs that were killed: the last event may be cut, and
 * a writer killed in the middle of a write leaves a cut event between whole
 * ones. Every type begins with the same 16 bits, by which the reader finds the
 * next event again.
 */
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRACE_TAG (TRACE_STAGE >> 16)

/* Events begin at multiples of this, also after a cut: writes are cut at pages. */
#define TRACE_STEP sizeof(uint32_t)

int trace_write(int fd, const struct trace_event *events, size_t n)
{
	const char *at = (const char *)events;
	size_t left = n * sizeof(*events);
	while (left > 0) {
		ssize_t written = write(fd, at, left);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		left -= (size_t)written;
	}
	return 0;
}

/* Reads up to `size` bytes from the start; returns how many there were, or -errno. */
static ssize_t trace_load(int fd, char *data, size_t size)
{
	size_t have = 0;
	while (have < size) {
		ssize_t n = pread(fd, data + have, size - have, (off_t)have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* Moves the known events of `data` to its front; returns how many. */
static size_t trace_sift(char *data, size_t size)
{
	size_t n = 0;
	size_t at = 0;
	while (at + sizeof(struct trace_event) <= size) {
		struct trace_event event;
		memcpy(&event, data + at, sizeof(event));
		if (event.type >> 16 != TRACE_TAG) {
			at += TRACE_STEP;
			continue;
		}
		at += sizeof(event);
		if (event.type == TRACE_STAGE)
			event.name[sizeof(event.name) - 1] = '\0';
		else if (event.type != TRACE_CALL && event.type != TRACE_PROCESS)
			continue;
		memcpy(data + n++ * sizeof(event), &event, sizeof(event));
	}
	return n;
}

int trace_read(int fd, struct trace_event **ret_events, size_t *ret_n)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	size_t size = (size_t)st.st_size;
	/* One event more than needed, so that an empty trace is no empty malloc. */
	char *data = malloc(size + sizeof(struct trace_event));
	if (!data)
		return -ENOMEM;
	ssize_t have = trace_load(fd, data, size);
	if (have < 0) {
		free(data);
		return (int)have;
	}
	*ret_n = trace_sift(data, (size_t)have);
	*ret_events = (struct trace_event *)(void *)data;
	return 0;
}
