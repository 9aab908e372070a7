/* SPDX-License-Identifier: Apache-2.0 */
/* The time log: a line a call, `Time cost for mul 2.484040975`. */
#ifndef TIME_LOG_H
#define TIME_LOG_H

#include "observer.h"

#include <leat/pipeline.h>

struct time_log {
	enum leat_time_log level; /* not off */
	int fd;
};

/* An observer's `retire`; the context is a struct time_log. */
void time_log_retire(void *context, const struct region *region, const struct slot *slot);

/*
 * A line of the full log: `Workers 2 for mul,add after record 17`, where so many of a group's
 * workers may work from now on.
 */
void time_log_workers(const struct time_log *log, const struct region *region, unsigned group,
    uint32_t n, uint64_t record);

#endif
