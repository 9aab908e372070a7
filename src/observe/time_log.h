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

#endif
