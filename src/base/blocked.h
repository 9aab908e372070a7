/* SPDX-License-Identifier: Apache-2.0 */
/* What processes sleep in, as the kernel tells it in /proc. Threads: any. */
#ifndef BLOCKED_H
#define BLOCKED_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether all of a process group wait for input: each sleeps in a read of its stdin, or in a
 * wait for one that does. False where it cannot be known.
 */
bool blocked_in_read(pid_t group);

/* Whether it is stopped, as a process in the background that reads the terminal. */
bool blocked_by_stop(pid_t pid);

#endif
