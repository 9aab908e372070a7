/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that ask a program to stop while it waits for one child. What a
 * terminal sends reaches the child by itself; what was sent to this process
 * alone is passed on. Threads: a single-threaded program's only.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <sys/types.h>

/* From now on SIGINT, SIGTERM and SIGHUP are noted, unless they were ignored. */
void interrupt_watch(void);

/* The first signal noted, or 0. */
int interrupt_caught(void);

/* Who else must hear of it; 0: nobody. */
void interrupt_pass_to(pid_t child);

/* Around fork(), so that no signal falls between it and interrupt_pass_to(). */
void interrupt_hold(void);
void interrupt_release(void);

#endif
