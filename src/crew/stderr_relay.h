/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stderr relay: passes on what worker processes write to stderr, line by line. A relay is
 * a pipe that one process, or a few, write to. Its complete lines go to an outlet, the run's own
 * stderr, so that lines of different processes never mix and each can be given a prefix.
 * The last lines are kept for the message that tells how the process died.
 *
 * While the outlet is blocked no pipe is read, so a writer blocks as it would on the outlet
 * itself. What the outlet refuses (its reader left, the disk is full) is lost.
 *
 * Threads: the thread that runs the run.
 */
#ifndef STDERR_RELAY_H
#define STDERR_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* A longer line is passed on in parts. */
#define STDERR_RELAY_LINE_MAX (64 << 10)

#define STDERR_RELAY_PREFIX_MAX 128

/* How many lines are kept, of how many bytes, and room for all as a message shows them. */
#define STDERR_RELAY_KEPT	3
#define STDERR_RELAY_KEPT_BYTES 196
#define STDERR_RELAY_LAST_MAX	600

/* Where lines go. */
struct stderr_relay_outlet {
	int fd;
	bool is_own;   /* opened here */
	int interrupt; /* borrowed; a wait for the outlet ends soon once this is readable */
	bool hurry;    /* nothing waits for the outlet any more */
	char *held;    /* accepted, not yet written: whole lines, or part of one */
	size_t start;
	size_t size;
};

struct stderr_relay {
	struct stderr_relay_outlet *outlet; /* borrowed; NULL: it was never opened */
	int fd;				    /* our end; -1: none */
	char *data;			    /* read, not yet accepted by the outlet */
	size_t start;
	size_t size;
	bool in_line; /* the beginning of the line was passed on already */
	bool stalled; /* there are lines that the outlet did not take yet */
	char prefix[STDERR_RELAY_PREFIX_MAX];
	char kept[STDERR_RELAY_KEPT][STDERR_RELAY_KEPT_BYTES]; /* as messages show them */
	unsigned n_kept;
};

/*
 * fd and interrupt are borrowed; -1 for no interrupt. Returns 0 or -ENOMEM;
 * stderr_relay_outlet_close is due in both cases, and accepts an outlet of zeros.
 */
int stderr_relay_outlet_open(struct stderr_relay_outlet *outlet, int fd, int interrupt);

/* Waits until all is written, unless that is hopeless, and closes. */
void stderr_relay_outlet_close(struct stderr_relay_outlet *outlet);

/* Writes what is held, without waiting. Returns whether nothing is left. */
bool stderr_relay_outlet_flush(struct stderr_relay_outlet *outlet);

/* Adds what to wait for while something is held; returns how many, 0 or 1. */
int stderr_relay_outlet_poll(const struct stderr_relay_outlet *outlet, struct pollfd *items);

/*
 * Makes the pipe. prefix, which is copied, comes before each line. Returns 0 with the end to
 * write to, which the caller closes once the process has it, or -errno. A relay of
 * zeros, or one that was closed, may be opened.
 */
int stderr_relay_open(struct stderr_relay *relay, struct stderr_relay_outlet *outlet,
    const char *prefix, int *ret_write_fd);

/* Adds what may let it go on; returns how many, 0 or 1. */
int stderr_relay_poll(const struct stderr_relay *relay, struct pollfd *items);

/* Passes on the whole lines of what is there. Never waits. */
void stderr_relay_pump(struct stderr_relay *relay);

/*
 * Passes on all that is there and closes the pipe: the process has ended. What it had
 * started may hold the other end for ever. The last words stay.
 */
void stderr_relay_close(struct stderr_relay *relay);

/* The last lines in one, "a | b | c"; empty if there are none. text: STDERR_RELAY_LAST_MAX bytes.
 */
void stderr_relay_last_lines(const struct stderr_relay *relay, char *text);

#endif
