/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Observers read the history that a slot carries when the sink retires it; they
 * are the only place where time is reported. An observer may not change the slot.
 * Threads: called by the sink's thread only.
 */
#ifndef OBSERVER_H
#define OBSERVER_H

#include "slot.h"

struct observer {
	void (*retire)(void *context, const struct region *region, const struct slot *slot);
	void *context;
};

#endif
