/* SPDX-License-Identifier: Apache-2.0 */
#include "shortcut.h"

#include "claim.h"
#include "pace.h"
#include "worker.h"

/* About what two wake-ups cost where the other core sleeps. */
#define SHORTCUT_NS (30u * 1000)

void shortcut_open(struct shortcut *shortcut, struct leat_host *host, struct sink *sink)
{
	*shortcut = (struct shortcut){.sink = sink};
	/* Its workers have loaded the same functions: what fails here only goes the long way. */
	(void)worker_open_carrier(host, &shortcut->carrier);
}

void shortcut_close(struct shortcut *shortcut)
{
	shortcut->carrier = leat_worker_close(shortcut->carrier);
}

bool shortcut_pays(const struct shortcut *shortcut, const struct region *region, uint32_t n_records)
{
	return shortcut->carrier && pace_expected_ns(region, n_records) <= SHORTCUT_NS;
}

void shortcut_settle(struct shortcut *shortcut)
{
	sink_catch_up(shortcut->sink);
}

void shortcut_take(struct shortcut *shortcut, const struct region *region, uint64_t seq)
{
	ring_advance_quietly(region, seq, 0);
	unsigned position = worker_carry(shortcut->carrier, seq);
	if (position == region_sink(region))
		sink_assist(shortcut->sink);
	else
		ring_wake_at(region, position);
}
