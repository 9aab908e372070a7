/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include "atomic.h"
#include "claim.h"
#include "notify.h"

#include <assert.h>

void limit_set(const struct region *region, unsigned group, uint32_t n)
{
	assert(n > 0);
	/* pairs with: limit_of */
	(void)atomic_exchange_seq(region_limit(region, group), n);
	notify_wake(region_park_word(region, group));
}

uint32_t limit_of(const struct region *region, unsigned group)
{
	/* pairs with: limit_set; sequentially consistent for the second look of limit_park */
	return atomic_load_seq(region_limit(region, group));
}

bool limit_allows(const struct region *region, unsigned group, unsigned rank)
{
	return rank < limit_of(region, group);
}

void limit_park(const struct region *region, unsigned group, unsigned rank)
{
	uint32_t *word = region_park_word(region, group);
	uint32_t key = notify_prepare(word);
	if (!limit_allows(region, group, rank) && !ring_stopped(region))
		notify_sleep(word, key);
}
