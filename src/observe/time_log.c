/* SPDX-License-Identifier: Apache-2.0 */
#include "time_log.h"

#include "clock.h"
#include "fd.h"

#include <stdio.h>

static double time_log_seconds(uint64_t ns)
{
	return (double)ns / (double)CLOCK_NS_PER_S;
}

/* Appends to a line of fixed size; a stage's name and the numbers always fit. */
static int time_log_full(char *line, size_t capacity, const struct region *region,
    const struct slot *slot, const struct slot_history *call)
{
	char records[64];
	uint64_t last = slot->first_record + slot->n_source_records - 1;
	if (last == slot->first_record)
		snprintf(records, sizeof(records), "record %llu",
		    (unsigned long long)slot->first_record);
	else
		snprintf(records, sizeof(records), "records %llu-%llu",
		    (unsigned long long)slot->first_record, (unsigned long long)last);
	/* Written by the worker, whose memory may have been anything. */
	uint32_t pid =
	    call->worker < region->header->n_workers ? region_worker(region, call->worker)->pid : 0;
	return snprintf(line, capacity, " %s cpu %.9f worker %u pid %u", records,
	    time_log_seconds(call->cpu_ns), call->worker, pid);
}

void time_log_retire(void *context, const struct region *region, const struct slot *slot)
{
	const struct time_log *log = context;
	for (unsigned i = 0; i < region->header->n_stages; i++) {
		const struct slot_history *call = &slot->history[i];
		if (call->records_in == 0)
			continue;
		char line[320];
		int n = snprintf(line, sizeof(line), "Time cost for %s %.9f",
		    region_stage(region, i)->name, time_log_seconds(call->end_ns - call->start_ns));
		if (log->level == LEAT_TIME_LOG_FULL)
			n += time_log_full(line + n, sizeof(line) - (size_t)n, region, slot, call);
		line[n++] = '\n';
		/* A log that cannot be written must not stop the run. */
		(void)fd_write(log->fd, line, (size_t)n);
	}
}

void time_log_workers(const struct time_log *log, const struct region *region, unsigned group,
    uint32_t n, uint64_t record)
{
	/* A name is 63 bytes at the most, so with a comma all of them fit. */
	char names[REGION_STAGES_MAX * sizeof(region_stage(region, 0)->name)] = "";
	size_t used = 0;
	for (unsigned i = 0; i < region->header->n_stages; i++) {
		const struct region_stage *stage = region_stage(region, i);
		if (stage->group == group)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
			    used > 0 ? "," : "", stage->name);
	}
	char line[sizeof(names) + 96];
	int size = snprintf(line, sizeof(line), "Workers %u for %s after record %llu\n", n, names,
	    (unsigned long long)record);
	(void)fd_write(log->fd, line, (size_t)size);
}
