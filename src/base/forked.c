/* SPDX-License-Identifier: Apache-2.0 */
#include "forked.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

uint32_t forked_is_child;

static _Thread_local volatile uint32_t *forked_calls;

/* Only in the one thread that the child has. */
static void forked_note(void)
{
	/* relaxed: see forked_check */
	atomic_store_relaxed(&forked_is_child, 1);
	if (forked_calls)
		*forked_calls = 0;
}

static void forked_register(void)
{
	(void)pthread_atfork(NULL, NULL, forked_note);
}

void forked_bound(volatile uint32_t *calls)
{
	forked_calls = calls;
}

void forked_watch(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, forked_register);
	/* A child of a program that has run a pipeline may run one of its own. */
	atomic_store_relaxed(&forked_is_child, 0);
}

void forked_end(void)
{
	static const char text[] =
	    "leat: a child that a stage's function forked has returned from it, and is ended\n";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EXIT_SUCCESS);
}
