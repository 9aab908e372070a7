/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch that a worker has claimed: running it, and ending the claim with what it came
 * to, or otherwise where there is no memory for it now.
 *
 * A batch whose worker has died is claimed again by another, who is careful with it: it
 * notes in the slot which record it is at, so that a record that kills every worker can
 * be named.
 *
 * A batch may give more than there is memory for now (see memory_budget.h). What is done then
 * depends on who ran it: a stateless C function's claim is given back, and the batch run
 * again when it is the oldest; any other C function waits in the middle of it; and what
 * Python gave, which is complete in its own memory, is parked until it fits.
 *
 * Threads: the worker's.
 */
#ifndef WORKER_BATCH_H
#define WORKER_BATCH_H

#include "worker_open.h"

/*
 * Runs the batch that is held. Returns 1 with it if its stage is foreign, or 0 when it has been
 * run and committed.
 */
int worker_batch_run(struct leat_worker *worker, struct leat_batch *ret_batch);

/* Commits the parked result, if it fits by now. */
void worker_batch_hand_on(struct leat_worker *worker);

#endif
