/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast path through an idle ring. Handing a batch on costs a wake-up at each stage, up to
 * some tens of microseconds. Where the stages take less than that, the source's thread
 * runs them itself and writes the result, so that a line typed at a terminal is answered as
 * quickly as by a single program.
 *
 * It is taken only where every stage is a C function in this process, and only while nothing
 * is in flight and no more input has arrived: no other core would have had anything to do.
 *
 * Threads: the source's.
 */
#ifndef FAST_PATH_H
#define FAST_PATH_H

#include "sink.h"
#include "worker_host.h"

struct fast_path {
	struct leat_worker *carrier; /* NULL: this ring has none */
	struct sink *sink;
};

/*
 * host: this process, which has all workers of the ring; they must have started. Leaves a
 * ring whose stages are not all C functions without a carrier.
 */
void fast_path_open(struct fast_path *shortcut, struct leat_host *host, struct sink *sink);
void fast_path_close(struct fast_path *shortcut);

/* Whether a batch of so many records would be through sooner. */
bool fast_path_is_faster(
    const struct fast_path *shortcut, const struct region *region, uint32_t n_records);

/* Waits until the only batch in flight, which the stages are done with, is written. */
void fast_path_wait(struct fast_path *shortcut);

/* Takes a batch that has been filled and not advanced through the ring. */
void fast_path_carry(struct fast_path *shortcut, const struct region *region, uint64_t seq);

#endif
