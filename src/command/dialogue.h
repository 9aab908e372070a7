/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long-lived process of a line: command: non-blocking writes to its stdin and reads from
 * its stdout.
 *
 * Threads: the worker's.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include "launcher.h"

#include <poll.h>

struct dialogue {
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
	uint64_t cpu_ns;    /* of the process, as of dialogue_cpu_ns */
	uint64_t heard_ns;  /* when something last happened to it: suspend_clock_ns */
	size_t heard_bytes; /* that the last look brought */
};

/* Returns 0 or -errno: what exec failed with. */
int dialogue_start(struct dialogue *dialogue, struct launcher *command);

static inline bool dialogue_is_open(const struct dialogue *dialogue)
{
	return dialogue->child.started_pid != 0;
}

/* Whether the process has ended and all its output was read. */
bool dialogue_is_over(const struct dialogue *dialogue);

#define DIALOGUE_POLL 3

/* What to wait for; wants_to_send: something is left to say. Fills DIALOGUE_POLL items. */
void dialogue_poll(const struct dialogue *dialogue, bool wants_to_send, struct pollfd *items);

/* Reads its output, and notices when it ends. Returns 0 or -ENOMEM. */
int dialogue_listen(struct dialogue *dialogue, const struct pollfd *items);

/*
 * Whether its output so far ends inside an answer, where an answer ends with this byte.
 * Looks at each byte once, whatever the answer's length.
 */
bool dialogue_is_amid(struct dialogue *dialogue, char separator);

/* Consumes so many bytes of its output. */
void dialogue_take(struct dialogue *dialogue, size_t size);

/* Writes as much as its stdin takes; returns how many bytes, 0 once that is closed. */
size_t dialogue_say(struct dialogue *dialogue, const char *data, size_t size);

/* Closes its stdin: it sees the end of its input. */
void dialogue_hush(struct dialogue *dialogue);

/*
 * Whether it has read all its input and waits for more, as a program does that keeps its
 * answers in a buffer. May be wrong for a script, whose children are not looked at.
 */
bool dialogue_is_hungry(const struct dialogue *dialogue);

/* The cpu time it has used since the last call. */
uint64_t dialogue_cpu_ns(struct dialogue *dialogue);

/* Kills what is left of it. How it ended stays in `child`. */
void dialogue_end(struct dialogue *dialogue);

#endif
