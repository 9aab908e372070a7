/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A C stage that crashes, or calls exit(), in the run's own process. The thread is taken out of the
 * function and lives on just long enough for the record to fail like any other: what
 * came before it goes out, the failure is told in its place, and the run ends.
 *
 *	int number = sigsetjmp(*crash_handler_point(), 0);
 *	if (number == 0) {
 *		crash_handler_arm();
 *		...call the function...
 *		crash_handler_disarm();
 *	}
 *
 * Locks that the function held stay held; that is why the run ends.
 */
#ifndef CRASH_HANDLER_H
#define CRASH_HANDLER_H

#include <setjmp.h>
#include <stdbool.h>

/* Handles SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT until crash_handler_unwatch; no effect in a
 * sanitizer's build.
 */
void crash_handler_watch(void);
void crash_handler_unwatch(void);

/*
 * Give this thread a stack for the handler, which a stack overflow needs too.
 * Returns what crash_handler_thread_end takes; NULL when there is none.
 */
void *crash_handler_thread_begin(void);
void crash_handler_thread_end(void *stack);

/* Where this thread goes on after a crash; sigsetjmp then returns the signal's number. */
sigjmp_buf *crash_handler_point(void);

/* What sigsetjmp returns for a function that has called exit(), and with which status. */
#define CRASH_EXIT (-1)
int crash_handler_exit_status(void);

/* Between these two a crash goes to crash_handler_point(); elsewhere it kills, as ever. */
void crash_handler_arm(void);
void crash_handler_disarm(void);

/* Whether this program was built with a sanitizer, which handles crashes itself. */
bool crash_handler_has_sanitizer(void);

#endif
