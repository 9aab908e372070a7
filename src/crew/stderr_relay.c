/* SPDX-License-Identifier: Apache-2.0 */
#include "stderr_relay.h"

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
#define STDERR_RELAY_PATIENCE_MS 1000

/* A line with its prefix, and a newline that it lacks. */
#define STDERR_RELAY_HELD_MAX (STDERR_RELAY_PREFIX_MAX + STDERR_RELAY_LINE_MAX + 1)

static_assert(STDERR_RELAY_LAST_MAX >= STDERR_RELAY_KEPT * (STDERR_RELAY_KEPT_BYTES + 3),
    "all that is kept fits");

/*
 * A pipe is opened anew, as only a description of our own may be made non-blocking: others
 * share the one we have. A terminal or a file is written to as it is.
 */
static int stderr_relay_reopen(int fd)
{
	char path[32];
	struct stat status;
	if (fstat(fd, &status) < 0 || !S_ISFIFO(status.st_mode))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

int stderr_relay_outlet_open(struct stderr_relay_outlet *outlet, int fd, int interrupt)
{
	int own = stderr_relay_reopen(fd);
	*outlet = (struct stderr_relay_outlet){
	    .fd = own >= 0 ? own : fd,
	    .is_own = own >= 0,
	    .interrupt = interrupt,
	    .held = malloc(STDERR_RELAY_HELD_MAX),
	};
	return outlet->held ? 0 : -ENOMEM;
}

static void stderr_relay_outlet_drop(struct stderr_relay_outlet *outlet)
{
	outlet->start = 0;
	outlet->size = 0;
}

bool stderr_relay_outlet_flush(struct stderr_relay_outlet *outlet)
{
	while (outlet->size > 0) {
		ssize_t n = write(outlet->fd, outlet->held + outlet->start, outlet->size);
		if (n < 0 && errno == EAGAIN)
			return false;
		/* Nobody can be told that stderr is broken. */
		if (n < 0 && errno != EINTR)
			stderr_relay_outlet_drop(outlet);
		if (n > 0) {
			outlet->start += (size_t)n;
			outlet->size -= (size_t)n;
		}
	}
	outlet->start = 0;
	return true;
}

int stderr_relay_outlet_poll(const struct stderr_relay_outlet *outlet, struct pollfd *items)
{
	if (outlet->size == 0)
		return 0;
	items[0] = (struct pollfd){.fd = outlet->fd, .events = POLLOUT};
	return 1;
}

/* Returns false when waiting is hopeless. */
static bool stderr_relay_outlet_wait(struct stderr_relay_outlet *outlet)
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
		outlet->hurry = poll(items, 1, STDERR_RELAY_PATIENCE_MS) == 0;
	return !outlet->hurry;
}

static void stderr_relay_outlet_finish(struct stderr_relay_outlet *outlet)
{
	while (!stderr_relay_outlet_flush(outlet)) {
		if (!stderr_relay_outlet_wait(outlet))
			stderr_relay_outlet_drop(outlet);
	}
}

void stderr_relay_outlet_close(struct stderr_relay_outlet *outlet)
{
	if (!outlet->held)
		return;
	stderr_relay_outlet_finish(outlet);
	if (outlet->is_own)
		fd_close(outlet->fd);
	free(outlet->held);
	outlet->held = NULL;
}

static void stderr_relay_outlet_add(
    struct stderr_relay_outlet *outlet, const char *data, size_t size)
{
	memcpy(outlet->held + outlet->start + outlet->size, data, size);
	outlet->size += size;
}

/*
 * Accepts a line, or refuses all of it. Lines are gathered up to what a pipe takes at once
 * without mixing it with what others write.
 */
static bool stderr_relay_outlet_put(struct stderr_relay_outlet *outlet, const char *prefix,
    const char *line, size_t size, bool lacks_newline)
{
	size_t whole = strlen(prefix) + size + lacks_newline;
	bool partly_out = outlet->start > 0;
	if ((partly_out || outlet->size + whole > PIPE_BUF) && !stderr_relay_outlet_flush(outlet))
		return false;
	stderr_relay_outlet_add(outlet, prefix, strlen(prefix));
	stderr_relay_outlet_add(outlet, line, size);
	stderr_relay_outlet_add(outlet, "\n", lacks_newline);
	return true;
}

int stderr_relay_open(struct stderr_relay *relay, struct stderr_relay_outlet *outlet,
    const char *prefix, int *ret_write_fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*relay = (struct stderr_relay){
	    .outlet = outlet,
	    .fd = ends[0],
	    .data = malloc(STDERR_RELAY_LINE_MAX),
	};
	snprintf(relay->prefix, sizeof(relay->prefix), "%s", prefix);
	/* Of our end only: the process shall wait for room. */
	if (!relay->data || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		int r = relay->data ? -errno : -ENOMEM;
		stderr_relay_close(relay);
		fd_close(ends[1]);
		return r;
	}
	*ret_write_fd = ends[1];
	return 0;
}

int stderr_relay_poll(const struct stderr_relay *relay, struct pollfd *items)
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

static void stderr_relay_keep(struct stderr_relay *relay, const char *line, size_t size)
{
	char *kept = relay->kept[relay->n_kept % STDERR_RELAY_KEPT];
	quote_line(kept, STDERR_RELAY_KEPT_BYTES, line, size);
	relay->n_kept += kept[0] != '\0';
}

/* The size of the next line, with its newline; 0 if it is not all there. */
static size_t stderr_relay_next(const struct stderr_relay *relay, bool all)
{
	const char *at = relay->data + relay->start;
	const char *end = relay->size ? memchr(at, '\n', relay->size) : NULL;
	if (end)
		return (size_t)(end + 1 - at);
	return all || relay->size == STDERR_RELAY_LINE_MAX ? relay->size : 0;
}

/* Hands lines to the outlet. Returns false when it takes no more. */
static bool stderr_relay_forward(struct stderr_relay *relay, bool all)
{
	size_t size;
	relay->stalled = true;
	while ((size = stderr_relay_next(relay, all)) > 0) {
		const char *line = relay->data + relay->start;
		bool ends = line[size - 1] == '\n';
		if (!stderr_relay_outlet_put(relay->outlet, relay->in_line ? "" : relay->prefix,
			line, size, all && !ends))
			return false;
		if (!relay->in_line)
			stderr_relay_keep(relay, line, size);
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
static size_t stderr_relay_read(struct stderr_relay *relay)
{
	ssize_t n;
	if (relay->fd < 0)
		return 0;
	do
		n = read(relay->fd, relay->data + relay->size, STDERR_RELAY_LINE_MAX - relay->size);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		relay->fd = fd_close(relay->fd);
	relay->size += n > 0 ? (size_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

void stderr_relay_pump(struct stderr_relay *relay)
{
	if (!relay->outlet || !stderr_relay_outlet_flush(relay->outlet))
		return;
	/* First what was left when the outlet took no more. */
	if (stderr_relay_forward(relay, false) && stderr_relay_read(relay) > 0)
		(void)stderr_relay_forward(relay, false);
	(void)stderr_relay_outlet_flush(relay->outlet);
}

/* Waits for the outlet where it has to. */
static void stderr_relay_forward_all(struct stderr_relay *relay, bool all)
{
	while (!stderr_relay_forward(relay, all))
		stderr_relay_outlet_finish(relay->outlet);
}

void stderr_relay_close(struct stderr_relay *relay)
{
	int left = 0;
	if (!relay->outlet)
		return;
	/* No more than is there now: others may go on writing. */
	if (relay->fd >= 0 && ioctl(relay->fd, FIONREAD, &left) < 0)
		left = 0;
	if (relay->data) {
		stderr_relay_forward_all(relay, false);
		while (left > 0) {
			size_t n = stderr_relay_read(relay);
			left = n > 0 ? left - (int)n : 0;
			stderr_relay_forward_all(relay, false);
		}
		stderr_relay_forward_all(relay, true);
		stderr_relay_outlet_finish(relay->outlet);
		if (relay->in_line)
			(void)stderr_relay_outlet_put(relay->outlet, "", "", 0, true);
		stderr_relay_outlet_finish(relay->outlet);
	}
	relay->fd = fd_close(relay->fd);
	free(relay->data);
	relay->data = NULL;
	relay->outlet = NULL;
}

void stderr_relay_last_lines(const struct stderr_relay *relay, char *text)
{
	unsigned first = relay->n_kept > STDERR_RELAY_KEPT ? relay->n_kept - STDERR_RELAY_KEPT : 0;
	char *to = text;
	*to = '\0';
	for (unsigned i = first; i < relay->n_kept; i++)
		to +=
		    sprintf(to, "%s%s", i > first ? " | " : "", relay->kept[i % STDERR_RELAY_KEPT]);
}
