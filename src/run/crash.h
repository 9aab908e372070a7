/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A C stage that crashes in the run's own process takes the run with it. What can
 * still be done is to say which stage and which record it was.
 */
#ifndef CRASH_H
#define CRASH_H

#include "region.h"

#include <stdbool.h>
#include <stdint.h>

/* Handles SIGSEGV, SIGBUS, SIGFPE and SIGILL until crash_unwatch; no effect in a sanitizer's build.
 */
void crash_watch(void);
void crash_unwatch(void);

/*
 * Give this thread a stack for the handler, which a stack overflow needs too.
 * Returns what crash_thread_end takes; NULL when there is none.
 */
void *crash_thread_begin(void);
void crash_thread_end(void *stack);

/* This thread calls a stage's function now; and no more. */
void crash_enter(const struct region *region, uint64_t seq, unsigned position);
void crash_leave(void);

/* Whether this program was built with a sanitizer, which handles crashes itself. */
bool crash_has_sanitizer(void);

#endif
