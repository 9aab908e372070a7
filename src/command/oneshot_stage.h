/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batches of batch: and each: stages: a process for a batch, or one for each of its
 * records. What the processes give is taken as records in the run's framing.
 *
 * A process that is killed by a signal is started again; one that exits with another status
 * than 0 fails, and with it its record or its batch.
 *
 * Threads: the worker's.
 */
#ifndef ONESHOT_STAGE_H
#define ONESHOT_STAGE_H

#include "c_call.h"
#include "launcher.h"

/*
 * first, last: the source's numbers of the batch's records; is_exact: each record
 * here is one of the source's. A failure of the whole batch has SLOT_NO_INDEX. Returns 0 with the
 * result, or -ECANCELED when the run is over.
 */
int oneshot_stage_batch(struct launcher *command, const struct batch *batch, uint64_t first,
    uint64_t last, bool is_exact, const struct c_call_output *output,
    struct c_call_result *ret_result, uint64_t *ret_cpu_ns);

#endif
