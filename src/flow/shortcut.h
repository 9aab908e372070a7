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
#ifndef SHORTCUT_H
#define SHORTCUT_H

#include "host.h"
#include "sink.h"

struct shortcut {
	struct leat_worker *carrier; /* NULL: this ring has none */
	struct sink *sink;
};

/*
 * host: this process, which has all workers of the ring; they must have started. Leaves a
 * ring whose stages are not all C functions without a carrier.
 */
void shortcut_open(struct shortcut *shortcut, struct leat_host *host, struct sink *sink);
void shortcut_close(struct shortcut *shortcut);

/* Whether a batch of so many records would be through sooner. */
bool shortcut_pays(
    const struct shortcut *shortcut, const struct region *region, uint32_t n_records);

/* Waits until the only batch in flight, which the stages are done with, is written. */
void shortcut_settle(struct shortcut *shortcut);

/* Takes a batch that has been filled and not advanced through the ring. */
void shortcut_take(struct shortcut *shortcut, const struct region *region, uint64_t seq);

#endif
