/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that a stage's function forks. One that returns from the function would go on as a
 * second worker in the same slots, so it is ended there.
 *
 * Threads: any.
 */
#ifndef FORKED_H
#define FORKED_H

#include "atomic.h"

#include <stddef.h>
#include <stdint.h>

/* Not for others to change. */
extern uint32_t forked_is_child;

/* This process has workers: from now on its children, but not itself, are such. */
void forked_watch(void);

/* Says so on stderr and ends this process, without any clean-up that its parent will do. */
_Noreturn void forked_end(void);

/*
 * Where this thread keeps how many calls it is about to make, each of which costs too little for
 * a check of its own; a child finds none left. NULL: it makes single calls.
 */
void forked_bound(volatile uint32_t *calls);

/* After each call of a function, or the last of several: ends the process if that has forked, and
 * this is the child. */
static inline void forked_check(void)
{
	/* relaxed: a child has one thread, which has set it itself */
	if (__builtin_expect(atomic_load_relaxed(&forked_is_child), 0))
		forked_end();
}

/* The same for calls that forked_bound was told of; they are over. */
static inline void forked_done(void)
{
	forked_bound(NULL);
	forked_check();
}

#endif
