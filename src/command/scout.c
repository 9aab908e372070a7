/* SPDX-License-Identifier: Apache-2.0 */
#include "scout.h"

#include "atomic.h"
#include "claim.h"
#include "fd.h"
#include "notify.h"

static void *scout_run(void *argument)
{
	struct scout *scout = argument;
	/* pairs with: scout_end; sequentially consistent for the look after notify_prepare */
	while (!atomic_load_seq(&scout->leave)) {
		uint32_t key = notify_prepare(scout->word);
		fd_ring(scout->bell);
		if (atomic_load_seq(&scout->leave) || ring_stopped(scout->region))
			break;
		notify_sleep(scout->word, key);
	}
	/* What came between the last bell and the stop. */
	fd_ring(scout->bell);
	return NULL;
}

int scout_start(struct scout *scout, const struct region *region, unsigned group)
{
	*scout = (struct scout){.region = region, .word = region_wait_word(region, group)};
	scout->bell = fd_bell();
	if (scout->bell < 0)
		return scout->bell;
	int r = pthread_create(&scout->thread, NULL, scout_run, scout);
	if (r != 0)
		fd_close(scout->bell);
	return -r;
}

void scout_end(struct scout *scout)
{
	/* pairs with: scout_run */
	(void)atomic_exchange_seq(&scout->leave, 1);
	/* Others of the group are woken for nothing, once. */
	notify_rouse(scout->word);
	pthread_join(scout->thread, NULL);
	fd_close(scout->bell);
}
