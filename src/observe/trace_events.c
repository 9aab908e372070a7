/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_events.h"

#include "clock.h"

#include <stdio.h>

void trace_events_retire(void *context, const struct region *region, const struct slot *slot)
{
	const struct trace_events *log = context;
	struct trace_event events[REGION_STAGES_MAX];
	size_t n = 0;
	for (unsigned i = 0; i < region->header->n_stages; i++) {
		const struct slot_history *call = &slot->history[i];
		if (call->records_in == 0)
			continue;
		events[n++] = (struct trace_event){
		    .type = TRACE_CALL,
		    .stage = log->first_stage + i,
		    .call.first_record = slot->first_record,
		    .call.start_ns = call->start_ns,
		    .call.end_ns = call->end_ns,
		    .call.cpu_ns = call->cpu_ns,
		    .call.worker = call->worker,
		    .call.attempts = call->attempts,
		    .call.records_in = call->records_in,
		    .call.records_out = call->records_out,
		};
	}
	(void)trace_write(log->fd, events, n);
}

void trace_events_stage(int fd, uint32_t stage, const char *name)
{
	struct trace_event event = {.type = TRACE_STAGE, .stage = stage};
	snprintf(event.name, sizeof(event.name), "%s", name);
	(void)trace_write(fd, &event, 1);
}

static uint64_t trace_events_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * CLOCK_NS_PER_S + (uint64_t)time.tv_usec * 1000;
}

int trace_events_process(int fd, uint32_t stage, bool is_command, uint32_t pid, uint64_t start_ns,
    uint64_t end_ns, const struct rusage *usage, const struct child_io *io)
{
	struct trace_event event = {
	    .type = TRACE_PROCESS,
	    .stage = stage,
	    .process.start_ns = start_ns,
	    .process.end_ns = end_ns,
	    .process.user_ns = trace_events_ns(usage->ru_utime),
	    .process.sys_ns = trace_events_ns(usage->ru_stime),
	    .process.peak_bytes = (uint64_t)usage->ru_maxrss * 1024,
	    .process.pid = pid,
	    .process.is_command = is_command,
	};
	if (io && io->known) {
		event.process.read_bytes = io->read_bytes;
		event.process.written_bytes = io->written_bytes;
		event.process.has_io = 1;
	}
	return trace_write(fd, &event, 1);
}
