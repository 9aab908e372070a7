/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that a stage's function forks. One that returns from the function would go on as a
 * second worker in the same slots, so it is ended there.
 *
 * Threads: any.
 */
#ifndef FORKED_H
#define FORKED_H

#include <stdbool.h>

/* Not for others to change. */
extern volatile int forked_is_child;

/* This process has workers: from now on its children, but not itself, are such. */
void forked_watch(void);

/* Says so on stderr and ends this process, without any clean-up that its parent will do. */
_Noreturn void forked_end(void);

/* After each call of a function: ends the process if that has forked, and this is the child. */
static inline void forked_check(void)
{
	if (__builtin_expect(forked_is_child, 0))
		forked_end();
}

#endif
