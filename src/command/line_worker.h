/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker of a line: stage: a lasting process that answers each record with one. Many
 * records are on their way to it at once, so that neither its speed nor its buffers
 * matter; their batches are claimed ahead, and committed in the order of the answers.
 *
 * A process that is killed is replaced, and asked again what it has not answered.
 *
 * Threads: the worker's.
 */
#ifndef LINE_WORKER_H
#define LINE_WORKER_H

#include "launcher.h"

/* Works until the ring has no more for this position, or the run is over. */
void line_worker_run(
    const struct region *region, unsigned position, unsigned worker, struct launcher *command);

#endif
