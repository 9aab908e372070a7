/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes: each leads a process group of its own, so that it can be ended
 * together with what it started, unless it needs the terminal; and dies with the thread
 * that started it.
 *
 * Started by vfork and exec, never by a bare fork: there are threads, and a fork of
 * a big process is slow. Threads: a child belongs to the thread that started it.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Read and written by system calls: its own, and of those children that it has waited for. */
struct child_io {
	bool known;
	uint64_t read_bytes;
	uint64_t written_bytes;
};

struct child {
	bool is_leader; /* of a process group of its own */
	pid_t group;	/* its number, which is its own until child_end_group */
	bool lingers;
	bool is_zombie;	   /* ended, and kept so that nobody else gets the number */
	pid_t pid;	   /* 0: none, or reaped */
	pid_t started_pid; /* the same, kept */
	int pidfd;	   /* readable once it has ended */
	int status;	   /* as wait() gives it, once reaped */
	struct rusage usage;
	struct child_io io; /* with counts_io, once reaped */
	bool counts_io;
	uint64_t start_ns;
	uint64_t end_ns;
};

/*
 * What the child gets as descriptors 0, 1, 2, 3 …: map[i] becomes i there. All
 * others are closed by their close-on-exec flag.
 */
struct child_setup {
	char *const *argv;	  /* argv[0] is looked up on PATH */
	char *const *environment; /* NULL: the caller's */
	const int *map;
	int n_map;    /* at most CHILD_MAP_MAX */
	bool stays;   /* in the caller's process group: it may use the terminal */
	bool lingers; /* what it starts may go on after it: see child_end_group */
	bool counts_io;
	bool streams; /* part of a pipe: a neighbour that it wakes shall not take its core */
};

#define CHILD_MAP_MAX 8

/* Returns 0 or -errno: what exec itself failed with. */
int child_start(struct child *child, const struct child_setup *setup);

/*
 * Reaps it if it has ended; true once it is reaped. Never blocks. What it had
 * started is killed, unless it ended with status 0.
 */
bool child_reap(struct child *child);

/* Sends a signal to it, and to its whole group if it leads one. No effect once reaped. */
void child_kill(struct child *child, int signal);

/* Ends the group with SIGKILL and reaps; safe on a child that never started. */
void child_end(struct child *child);

/*
 * Kills what is left of the group of a child that lingers, and lets its number go. Due
 * once for each such child.
 */
void child_end_group(struct child *child);

/*
 * How it ended, as a message says it: "was killed by SIGSEGV", "exited with status 2".
 * The child must have been reaped.
 */
void child_describe(const struct child *child, char *text, size_t capacity);

#endif
