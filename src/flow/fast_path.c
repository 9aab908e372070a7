/* SPDX-License-Identifier: Apache-2.0 */
#include "fast_path.h"

#include "batch_sizing.h"
#include "claim.h"
#include "worker.h"

/* About what two wake-ups cost where the other core sleeps. */
#define FAST_PATH_NS (30u * 1000)

void fast_path_open(struct fast_path *shortcut, struct leat_host *host, struct sink *sink)
{
	*shortcut = (struct fast_path){.sink = sink};
	/* Its workers have loaded the same functions: what fails here only goes the long way. */
	(void)worker_open_carrier(host, &shortcut->carrier);
}

void fast_path_close(struct fast_path *shortcut)
{
	shortcut->carrier = leat_worker_close(shortcut->carrier);
}

bool fast_path_is_faster(
    const struct fast_path *shortcut, const struct region *region, uint32_t n_records)
{
	return shortcut->carrier && batch_sizing_expected_ns(region, n_records) <= FAST_PATH_NS;
}

void fast_path_wait(struct fast_path *shortcut)
{
	sink_catch_up(shortcut->sink);
}

void fast_path_carry(struct fast_path *shortcut, const struct region *region, uint64_t seq)
{
	ring_advance_quietly(region, seq, 0);
	unsigned position = worker_carry(shortcut->carrier, seq);
	if (position == region_sink(region))
		sink_assist(shortcut->sink);
	else
		ring_wake_at(region, position);
}
