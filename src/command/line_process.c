/* SPDX-License-Identifier: Apache-2.0 */
#include "line_process.h"

#include "clock.h"
#include "fd.h"
#include "input_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LINE_PROCESS_READ (64u << 10)

int line_process_start(struct line_process *dialogue, struct launcher *command)
{
	int in[2] = {-1, -1};
	int out[2] = {-1, -1};
	*dialogue = (struct line_process){.command = command, .to = -1, .from = -1};
	int r = pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ? -errno : 0;
	struct launcher_start start = {.in = in[0], .out = out[1], .err = -1};
	if (r == 0)
		r = launcher_start(command, &start, &dialogue->child);
	fd_close(in[0]);
	fd_close(out[1]);
	if (r < 0) {
		fd_close(in[1]);
		fd_close(out[0]);
		return r;
	}
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	dialogue->to = in[1];
	dialogue->from = out[0];
	dialogue->heard_ns = job_control_clock_ns(&command->context->suspend);
	return 0;
}

bool line_process_is_over(const struct line_process *dialogue)
{
	return line_process_is_open(dialogue) && dialogue->child.pid == 0 && dialogue->from < 0;
}

void line_process_poll(
    const struct line_process *dialogue, bool wants_to_send, struct pollfd *items)
{
	bool open = line_process_is_open(dialogue);
	items[0] =
	    (struct pollfd){.fd = open && wants_to_send ? dialogue->to : -1, .events = POLLOUT};
	items[1] = (struct pollfd){.fd = open ? dialogue->from : -1, .events = POLLIN};
	items[2] = (struct pollfd){
	    .fd = open && dialogue->child.pid != 0 ? dialogue->child.pidfd : -1, .events = POLLIN};
}

static int line_process_make_room(struct line_process *dialogue)
{
	if (dialogue->start > 0) {
		memmove(dialogue->data, dialogue->data + dialogue->start,
		    dialogue->end - dialogue->start);
		dialogue->end -= dialogue->start;
		dialogue->start = 0;
	}
	if (dialogue->capacity - dialogue->end >= LINE_PROCESS_READ)
		return 0;
	size_t capacity = 2 * dialogue->capacity + LINE_PROCESS_READ;
	char *larger = realloc(dialogue->data, capacity);
	if (!larger)
		return -ENOMEM;
	dialogue->data = larger;
	dialogue->capacity = capacity;
	return 0;
}

/* Reads what it has said, once. */
static int line_process_read(struct line_process *dialogue)
{
	int r = line_process_make_room(dialogue);
	if (r < 0)
		return r;
	ssize_t n = read(
	    dialogue->from, dialogue->data + dialogue->end, dialogue->capacity - dialogue->end);
	dialogue->heard_bytes = n > 0 ? (size_t)n : 0;
	dialogue->end += dialogue->heard_bytes;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		dialogue->from = fd_close(dialogue->from);
	return 0;
}

int line_process_receive(struct line_process *dialogue, const struct pollfd *items)
{
	if (items[0].revents || items[1].revents || items[2].revents)
		dialogue->heard_ns = job_control_clock_ns(&dialogue->command->context->suspend);
	int r = items[1].revents ? line_process_read(dialogue) : 0;
	if (items[2].revents)
		(void)child_reap(&dialogue->child);
	return r;
}

bool line_process_is_inside_answer(struct line_process *dialogue, char separator)
{
	const char *from = dialogue->data + dialogue->start + dialogue->searched;
	const char *end = dialogue->data + dialogue->end;
	if (from < end && memchr(from, separator, (size_t)(end - from)))
		return false;
	dialogue->searched = dialogue->end - dialogue->start;
	return true;
}

void line_process_take(struct line_process *dialogue, size_t size)
{
	dialogue->start += size;
	dialogue->searched = 0;
}

size_t line_process_send(struct line_process *dialogue, const char *data, size_t size)
{
	if (dialogue->to < 0)
		return 0;
	ssize_t n = write(dialogue->to, data, size);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		line_process_close_input(dialogue);
	return n > 0 ? (size_t)n : 0;
}

void line_process_close_input(struct line_process *dialogue)
{
	dialogue->to = fd_close(dialogue->to);
}

bool line_process_awaits_input(const struct line_process *dialogue)
{
	int unread = 0;
	int said = 0;
	if (dialogue->to < 0 || dialogue->child.pid == 0 ||
	    ioctl(dialogue->to, FIONREAD, &unread) < 0 || unread > 0)
		return false;
	/* In this order: it may have answered just before it waits for the next record. */
	return input_wait_in_read(dialogue->child.group) &&
	       ioctl(dialogue->from, FIONREAD, &said) == 0 && said == 0;
}

uint64_t line_process_cpu_ns(struct line_process *dialogue)
{
	clockid_t clock;
	struct timespec now;
	if (dialogue->child.pid == 0 || clock_getcpuclockid(dialogue->child.pid, &clock) != 0 ||
	    clock_gettime(clock, &now) != 0)
		return 0;
	uint64_t before = dialogue->cpu_ns;
	dialogue->cpu_ns = (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
	return dialogue->cpu_ns - before;
}

void line_process_end(struct line_process *dialogue)
{
	if (!line_process_is_open(dialogue))
		return;
	line_process_close_input(dialogue);
	dialogue->from = fd_close(dialogue->from);
	launcher_end(dialogue->command, &dialogue->child);
	dialogue->child.started_pid = 0;
	free(dialogue->data);
	dialogue->data = NULL;
	dialogue->capacity = dialogue->start = dialogue->end = dialogue->searched = 0;
}
