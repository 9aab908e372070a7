/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host that died: what its workers had claimed is taken back and run again by
 * another, and the process is replaced. A batch's input is untouched until its commit,
 * so a crash costs time and never a record.
 *
 * A record that kills every worker that takes it fails, like one that raises: the batch
 * is cut at it, what was before it is run again, and the failure goes on in the slot.
 *
 * Threads: the thread that runs the run.
 */
#ifndef CRASH_RECOVERY_H
#define CRASH_RECOVERY_H

#include "crew.h"

/*
 * Its process has been reaped. Returns 0, or -ECHILD with the error written when it dies
 * over and over without doing anything, or by its own fault before it was ready.
 */
int crash_recovery_host_died(struct crew *crew, unsigned host, struct leat_error *reterr);

#endif
