/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run comes to, and ending it before its time.
 *
 * Threads: the thread that runs the run.
 */
#ifndef RUN_OUTCOME_H
#define RUN_OUTCOME_H

#include "run.h"

/* The first failure is the run's. */
void run_fail(struct run *run, const struct leat_error *error);

/* Ends what still runs; force: at once. */
void run_abort_all(struct run *run, bool force);

#endif
