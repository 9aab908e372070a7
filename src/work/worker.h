/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that has no thread of its own: whoever filled a batch carries it through the
 * whole ring with it. The other side of a worker is <leat/worker.h>.
 *
 * Threads: one, which keeps it.
 */
#ifndef WORKER_H
#define WORKER_H

#include <leat/worker.h>

#include <stdint.h>

/*
 * Every stage must be C's, and its workers threads of the host, which is this process.
 * Returns 0 or -errno; free it with leat_worker_close.
 */
int worker_open_carrier(struct leat_host *host, struct leat_worker **ret_worker);

/*
 * Runs a batch that is READY for the first stage through all stages, in the name of
 * workers that wait. All batches before it must be out. Wakes nobody; returns the
 * position where it left the batch, which another worker may have taken.
 */
unsigned worker_carry(struct leat_worker *carrier, uint64_t seq);

#endif
