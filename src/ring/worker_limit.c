/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_limit.h"

#include "atomic.h"
#include "claim.h"
#include "wakeup.h"

#include <assert.h>

void worker_limit_set(const struct region *region, unsigned group, uint32_t n)
{
	assert(n > 0);
	/* pairs with: worker_limit_of */
	(void)atomic_exchange_seq(region_limit(region, group), n);
	wakeup_wake(region_park_word(region, group));
}

uint32_t worker_limit_of(const struct region *region, unsigned group)
{
	/* pairs with: worker_limit_set; sequentially consistent for the second look of
	 * worker_limit_park */
	return atomic_load_seq(region_limit(region, group));
}

bool worker_limit_allows(const struct region *region, unsigned group, unsigned rank)
{
	return rank < worker_limit_of(region, group);
}

void worker_limit_park(const struct region *region, unsigned group, unsigned rank)
{
	uint32_t *word = region_park_word(region, group);
	uint32_t key = wakeup_prepare(word);
	if (!worker_limit_allows(region, group, rank) && !ring_stopped(region))
		wakeup_sleep(word, key);
}
