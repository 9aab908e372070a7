/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long-lived process of a line: command: non-blocking writes to its stdin and reads from
 * its stdout.
 *
 * Threads: the worker's.
 */
#ifndef LINE_PROCESS_H
#define LINE_PROCESS_H

#include "launcher.h"

#include <poll.h>

struct line_process {
	struct launcher *command;
	struct child child;
	int to;	  /* its stdin; -1: closed */
	int from; /* its stdout; -1: at its end */
	/* Output that was read and not consumed is data[start … end). */
	char *data;
	size_t capacity;
	size_t start;
	size_t end;
	size_t searched;    /* so much of that, and no more, is known to end no answer */
	uint64_t cpu_ns;    /* of the process, as of line_process_cpu_ns */
	uint64_t heard_ns;  /* when something last happened to it: job_control_clock_ns */
	size_t heard_bytes; /* that the last look brought */
};

/* Returns 0 or -errno: what exec failed with. */
int line_process_start(struct line_process *dialogue, struct launcher *command);

static inline bool line_process_is_open(const struct line_process *dialogue)
{
	return dialogue->child.started_pid != 0;
}

/* Whether the process has ended and all its output was read. */
bool line_process_is_over(const struct line_process *dialogue);

#define LINE_PROCESS_POLL 3

/* What to wait for; wants_to_send: something is left to say. Fills LINE_PROCESS_POLL items. */
void line_process_poll(
    const struct line_process *dialogue, bool wants_to_send, struct pollfd *items);

/* Reads its output, and notices when it ends. Returns 0 or -ENOMEM. */
int line_process_receive(struct line_process *dialogue, const struct pollfd *items);

/*
 * Whether its output so far ends inside an answer, where an answer ends with this byte.
 * Looks at each byte once, whatever the answer's length.
 */
bool line_process_is_inside_answer(struct line_process *dialogue, char separator);

/* Consumes so many bytes of its output. */
void line_process_take(struct line_process *dialogue, size_t size);

/* Writes as much as its stdin takes; returns how many bytes, 0 once that is closed. */
size_t line_process_send(struct line_process *dialogue, const char *data, size_t size);

/* Closes its stdin: it sees the end of its input. */
void line_process_close_input(struct line_process *dialogue);

/*
 * Whether it has read all its input and waits for more, as a program does that keeps its
 * answers in a buffer. May be wrong for a script, whose children are not looked at.
 */
bool line_process_awaits_input(const struct line_process *dialogue);

/* The cpu time it has used since the last call. */
uint64_t line_process_cpu_ns(struct line_process *dialogue);

/* Kills what is left of it. How it ended stays in `child`. */
void line_process_end(struct line_process *dialogue);

#endif
