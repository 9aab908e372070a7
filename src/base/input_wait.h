/* SPDX-License-Identifier: Apache-2.0 */
/* What processes sleep in, as the kernel tells it in /proc. Threads: any. */
#ifndef INPUT_WAIT_H
#define INPUT_WAIT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether all of a process group wait for input: a thread sleeps in a read of its stdin, and
 * all others in such a read or in a wait for a child or another thread. False where it
 * cannot be known.
 */
bool input_wait_in_read(pid_t group);

/* A process's state as the letter of proc(5): T is stopped, Z has ended; 0: unknown. */
char input_wait_state(pid_t pid);

#endif
