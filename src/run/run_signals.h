/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signals mean to a run: the first interrupt ends its input, the second one all of it,
 * and Ctrl-Z stops it with all that it has started.
 *
 * Threads: the thread that runs the run.
 */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

#include "run.h"

/* Before any thread starts. Returns 0 or -errno; run_signals_close is due in both cases. */
int run_signals_open(struct run *run);
void run_signals_close(struct run *run);

/* Does what those that have come mean. */
void run_signals_read(struct run *run);

/* What an interrupted run says, unless something failed as well. */
void run_signals_describe(struct run *run);

#endif
