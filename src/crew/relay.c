/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include "fd.h"
#include "quote.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long an outlet that takes nothing is waited for after an interrupt. */
#define RELAY_PATIENCE_MS 1000

/* A line with its prefix, and a newline that it lacks. */
#define RELAY_HELD_MAX (RELAY_PREFIX_MAX + RELAY_LINE_MAX + 1)

static_assert(RELAY_WORDS_MAX >= RELAY_KEPT * (RELAY_KEPT_BYTES + 3), "all that is kept fits");

/*
 * A pipe is opened anew, as only a description of our own may be made non-blocking: others
 * share the one we have. A terminal or a file is written to as it is.
 */
static int relay_reopen(int fd)
{
	char path[32];
	struct stat status;
	if (fstat(fd, &status) < 0 || !S_ISFIFO(status.st_mode))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

int relay_outlet_open(struct relay_outlet *outlet, int fd, int interrupt)
{
	int own = relay_reopen(fd);
	*outlet = (struct relay_outlet){
	    .fd = own >= 0 ? own : fd,
	    .is_own = own >= 0,
	    .interrupt = interrupt,
	    .held = malloc(RELAY_HELD_MAX),
	};
	return outlet->held ? 0 : -ENOMEM;
}

static void relay_outlet_drop(struct relay_outlet *outlet)
{
	outlet->start = 0;
	outlet->size = 0;
}

bool relay_outlet_flush(struct relay_outlet *outlet)
{
	while (outlet->size > 0) {
		ssize_t n = write(outlet->fd, outlet->held + outlet->start, outlet->size);
		if (n < 0 && errno == EAGAIN)
			return false;
		/* Nobody can be told that stderr is broken. */
		if (n < 0 && errno != EINTR)
			relay_outlet_drop(outlet);
		if (n > 0) {
			outlet->start += (size_t)n;
			outlet->size -= (size_t)n;
		}
	}
	outlet->start = 0;
	return true;
}

int relay_outlet_poll(const struct relay_outlet *outlet, struct pollfd *items)
{
	if (outlet->size == 0)
		return 0;
	items[0] = (struct pollfd){.fd = outlet->fd, .events = POLLOUT};
	return 1;
}

/* Returns false when waiting is hopeless. */
static bool relay_outlet_wait(struct relay_outlet *outlet)
{
	struct pollfd items[] = {
	    {.fd = outlet->fd, .events = POLLOUT},
	    {.fd = outlet->interrupt, .events = POLLIN},
	};
	if (outlet->hurry)
		return false;
	int n = poll(items, 2, -1);
	if (n > 0 && !items[0].revents)
		/* An interrupt, which nobody can act on before this is over. */
		outlet->hurry = poll(items, 1, RELAY_PATIENCE_MS) == 0;
	return !outlet->hurry;
}

static void relay_outlet_finish(struct relay_outlet *outlet)
{
	while (!relay_outlet_flush(outlet)) {
		if (!relay_outlet_wait(outlet))
			relay_outlet_drop(outlet);
	}
}

void relay_outlet_close(struct relay_outlet *outlet)
{
	if (!outlet->held)
		return;
	relay_outlet_finish(outlet);
	if (outlet->is_own)
		fd_close(outlet->fd);
	free(outlet->held);
	outlet->held = NULL;
}

static void relay_outlet_add(struct relay_outlet *outlet, const char *data, size_t size)
{
	memcpy(outlet->held + outlet->start + outlet->size, data, size);
	outlet->size += size;
}

/*
 * Accepts a line, or refuses all of it. Lines are gathered up to what a pipe takes at once
 * without mixing it with what others write.
 */
static bool relay_outlet_put(struct relay_outlet *outlet, const char *prefix, const char *line,
    size_t size, bool lacks_newline)
{
	size_t whole = strlen(prefix) + size + lacks_newline;
	bool partly_out = outlet->start > 0;
	if ((partly_out || outlet->size + whole > PIPE_BUF) && !relay_outlet_flush(outlet))
		return false;
	relay_outlet_add(outlet, prefix, strlen(prefix));
	relay_outlet_add(outlet, line, size);
	relay_outlet_add(outlet, "\n", lacks_newline);
	return true;
}

int relay_open(
    struct relay *relay, struct relay_outlet *outlet, const char *prefix, int *ret_write_fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*relay = (struct relay){
	    .outlet = outlet,
	    .fd = ends[0],
	    .data = malloc(RELAY_LINE_MAX),
	};
	snprintf(relay->prefix, sizeof(relay->prefix), "%s", prefix);
	/* Of our end only: the process shall wait for room. */
	if (!relay->data || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		int r = relay->data ? -errno : -ENOMEM;
		relay_close(relay);
		fd_close(ends[1]);
		return r;
	}
	*ret_write_fd = ends[1];
	return 0;
}

int relay_poll(const struct relay *relay, struct pollfd *items)
{
	if (!relay->outlet)
		return 0;
	if (relay->stalled)
		items[0] = (struct pollfd){.fd = relay->outlet->fd, .events = POLLOUT};
	else if (relay->fd >= 0 && relay->outlet->size == 0)
		items[0] = (struct pollfd){.fd = relay->fd, .events = POLLIN};
	else
		return 0;
	return 1;
}

static void relay_keep(struct relay *relay, const char *line, size_t size)
{
	char *kept = relay->kept[relay->n_kept % RELAY_KEPT];
	quote_line(kept, RELAY_KEPT_BYTES, line, size);
	relay->n_kept += kept[0] != '\0';
}

/* The size of the next line, with its newline; 0 if it is not all there. */
static size_t relay_next(const struct relay *relay, bool all)
{
	const char *at = relay->data + relay->start;
	const char *end = relay->size ? memchr(at, '\n', relay->size) : NULL;
	if (end)
		return (size_t)(end + 1 - at);
	return all || relay->size == RELAY_LINE_MAX ? relay->size : 0;
}

/* Hands lines to the outlet. Returns false when it takes no more. */
static bool relay_forward(struct relay *relay, bool all)
{
	size_t size;
	relay->stalled = true;
	while ((size = relay_next(relay, all)) > 0) {
		const char *line = relay->data + relay->start;
		bool ends = line[size - 1] == '\n';
		if (!relay_outlet_put(relay->outlet, relay->in_line ? "" : relay->prefix, line,
			size, all && !ends))
			return false;
		if (!relay->in_line)
			relay_keep(relay, line, size);
		relay->in_line = !ends && !all;
		relay->start += size;
		relay->size -= size;
	}
	memmove(relay->data, relay->data + relay->start, relay->size);
	relay->start = 0;
	relay->stalled = false;
	return true;
}

/* Returns how many bytes were read; 0 when there is nothing, now or any more. */
static size_t relay_read(struct relay *relay)
{
	ssize_t n;
	if (relay->fd < 0)
		return 0;
	do
		n = read(relay->fd, relay->data + relay->size, RELAY_LINE_MAX - relay->size);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		relay->fd = fd_close(relay->fd);
	relay->size += n > 0 ? (size_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

void relay_pump(struct relay *relay)
{
	if (!relay->outlet || !relay_outlet_flush(relay->outlet))
		return;
	/* First what was left when the outlet took no more. */
	if (relay_forward(relay, false) && relay_read(relay) > 0)
		(void)relay_forward(relay, false);
	(void)relay_outlet_flush(relay->outlet);
}

/* Waits for the outlet where it has to. */
static void relay_forward_all(struct relay *relay, bool all)
{
	while (!relay_forward(relay, all))
		relay_outlet_finish(relay->outlet);
}

void relay_close(struct relay *relay)
{
	int left = 0;
	if (!relay->outlet)
		return;
	/* No more than is there now: others may go on writing. */
	if (relay->fd >= 0 && ioctl(relay->fd, FIONREAD, &left) < 0)
		left = 0;
	if (relay->data) {
		relay_forward_all(relay, false);
		while (left > 0) {
			size_t n = relay_read(relay);
			left = n > 0 ? left - (int)n : 0;
			relay_forward_all(relay, false);
		}
		relay_forward_all(relay, true);
		relay_outlet_finish(relay->outlet);
		if (relay->in_line)
			(void)relay_outlet_put(relay->outlet, "", "", 0, true);
		relay_outlet_finish(relay->outlet);
	}
	relay->fd = fd_close(relay->fd);
	free(relay->data);
	relay->data = NULL;
	relay->outlet = NULL;
}

void relay_last_words(const struct relay *relay, char *text)
{
	unsigned first = relay->n_kept > RELAY_KEPT ? relay->n_kept - RELAY_KEPT : 0;
	char *to = text;
	*to = '\0';
	for (unsigned i = first; i < relay->n_kept; i++)
		to += sprintf(to, "%s%s", i > first ? " | " : "", relay->kept[i % RELAY_KEPT]);
}
