/* SPDX-License-Identifier: Apache-2.0 */
/* Writes retired slots and ended processes to a trace. */
#ifndef TRACE_EVENTS_H
#define TRACE_EVENTS_H

#include "child.h"
#include "observer.h"
#include "trace.h"

#include <stdbool.h>
#include <sys/resource.h>

struct trace_events {
	int fd;
	uint32_t first_stage; /* the trace's number of the ring's first stage */
};

/* An observer's `retire`; the context is a struct trace_events. */
void trace_events_retire(void *context, const struct region *region, const struct slot *slot);

/* Names a stage of the trace. A trace that cannot be written does not stop a run. */
void trace_events_stage(int fd, uint32_t stage, const char *name);

/*
 * A process that has ended, or is about to; stage may be TRACE_NO_STAGE, io NULL.
 * Returns 0 or -errno.
 */
int trace_events_process(int fd, uint32_t stage, bool is_command, uint32_t pid, uint64_t start_ns,
    uint64_t end_ns, const struct rusage *usage, const struct child_io *io);

#endif
