/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lasting process of a line: command: bytes go to it and come from it, and neither
 * blocks.
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
	/* What it has said and nobody has taken yet is data[start … end). */
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

/* Whether the process has ended and said its last. */
bool dialogue_is_over(const struct dialogue *dialogue);

#define DIALOGUE_POLL 3

/* What to wait for; wants_to_send: something is left to say. Fills DIALOGUE_POLL items. */
void dialogue_poll(const struct dialogue *dialogue, bool wants_to_send, struct pollfd *items);

/* Reads what it has said, and sees its end. Returns 0 or -ENOMEM. */
int dialogue_listen(struct dialogue *dialogue, const struct pollfd *items);

/*
 * Whether what it has said last is a part of an answer still, where an answer ends with this
 * byte. Looks at each byte once, whatever the answer's length.
 */
bool dialogue_is_amid(struct dialogue *dialogue, char separator);

/* Takes so much of what it has said. */
void dialogue_take(struct dialogue *dialogue, size_t size);

/* Says as much as it takes; returns how many bytes. One that does not listen is not told. */
size_t dialogue_say(struct dialogue *dialogue, const char *data, size_t size);

/* There is no more to say. */
void dialogue_hush(struct dialogue *dialogue);

/*
 * Whether it has read all that it was told and waits for more, as a program does that keeps
 * its answers in a buffer. May be wrong for a script, of whose programs nobody knows.
 */
bool dialogue_is_hungry(const struct dialogue *dialogue);

/* The cpu time it has used since the last call. */
uint64_t dialogue_cpu_ns(struct dialogue *dialogue);

/* Kills what is left of it. How it ended stays in `child`. */
void dialogue_end(struct dialogue *dialogue);

#endif
