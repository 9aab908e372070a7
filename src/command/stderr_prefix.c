/* SPDX-License-Identifier: Apache-2.0 */
#include "stderr_prefix.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A longer line is passed on in parts. */
#define STDERR_PREFIX_LINE_MAX (64u << 10)

int stderr_prefix_open(
    struct stderr_prefix *tagger, const char *tag, int to, int stop, int *ret_write_fd)
{
	int ends[2];
	*tagger = (struct stderr_prefix){.from = -1, .to = to, .stop = stop};
	snprintf(tagger->tag, sizeof(tagger->tag), "%s", tag);
	tagger->data = malloc(STDERR_PREFIX_TAG_MAX + STDERR_PREFIX_LINE_MAX + 1);
	if (!tagger->data)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		int r = -errno;
		free(tagger->data);
		return r;
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	tagger->from = ends[0];
	*ret_write_fd = ends[1];
	return 0;
}

/* Writes all of it, unless nobody waits for it any more. */
static void stderr_prefix_write(const struct stderr_prefix *tagger, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(tagger->to, data, size);
		if (n > 0) {
			data += n;
			size -= (size_t)n;
			continue;
		}
		struct pollfd items[] = {
		    {.fd = tagger->to, .events = POLLOUT},
		    {.fd = tagger->stop, .events = POLLIN},
		};
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || poll(items, 2, -1) < 0 || items[1].revents)
			return;
	}
}

/* One line or a part of one, with its tag in front, in one write while there is room. */
static void stderr_prefix_pass(struct stderr_prefix *tagger, const char *line, size_t size)
{
	char text[STDERR_PREFIX_TAG_MAX + STDERR_PREFIX_LINE_MAX + 1];
	size_t tag = strlen(tagger->tag);
	memcpy(text, tagger->tag, tag);
	memcpy(text + tag, line, size);
	text[tag + size] = '\n';
	stderr_prefix_write(tagger, text, tag + size + 1);
}

static void stderr_prefix_pass_lines(struct stderr_prefix *tagger)
{
	char *at = tagger->data;
	char *end = tagger->data + tagger->size;
	char *newline;
	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		stderr_prefix_pass(tagger, at, (size_t)(newline - at));
		at = newline + 1;
	}
	if (end - at == STDERR_PREFIX_LINE_MAX) {
		stderr_prefix_pass(tagger, at, STDERR_PREFIX_LINE_MAX);
		at = end;
	}
	tagger->size = (size_t)(end - at);
	memmove(tagger->data, at, tagger->size);
}

/* Reads once; returns how much there was. */
static size_t stderr_prefix_read(struct stderr_prefix *tagger)
{
	if (tagger->from < 0)
		return 0;
	ssize_t n =
	    read(tagger->from, tagger->data + tagger->size, STDERR_PREFIX_LINE_MAX - tagger->size);
	if (n > 0) {
		tagger->size += (size_t)n;
		stderr_prefix_pass_lines(tagger);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		tagger->from = fd_close(tagger->from);
	}
	return n > 0 ? (size_t)n : 0;
}

void stderr_prefix_pump(struct stderr_prefix *tagger)
{
	(void)stderr_prefix_read(tagger);
}

void stderr_prefix_close(struct stderr_prefix *tagger)
{
	int left = 0;
	/* No more than is there now: one that has left the group may write for ever. */
	if (tagger->from >= 0 && ioctl(tagger->from, FIONREAD, &left) < 0)
		left = 0;
	while (left > 0) {
		size_t n = stderr_prefix_read(tagger);
		left = n > 0 ? left - (int)n : 0;
	}
	if (tagger->size > 0)
		stderr_prefix_pass(tagger, tagger->data, tagger->size);
	tagger->from = fd_close(tagger->from);
	free(tagger->data);
	tagger->data = NULL;
	tagger->size = 0;
}
