/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a run's trace to what compare says of it.
 */
#ifndef COMPARE_DIGEST_H
#define COMPARE_DIGEST_H

#include "comparison.h"
#include "trace.h"

/*
 * Fills a run, of which spawn_ns and wall_ns are known, from its trace, spans
 * included, and forgets what an earlier call filled in. peak_bytes stays as it is
 * where the trace says nothing of it.
 * Returns 0 or -ENOMEM.
 */
int compare_digest(const struct comparison *comparison, struct compare_run *run,
    const struct trace_event *events, size_t n_events);

#endif
