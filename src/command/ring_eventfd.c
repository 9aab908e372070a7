/* SPDX-License-Identifier: Apache-2.0 */
#include "ring_eventfd.h"

#include "atomic.h"
#include "claim.h"
#include "fd.h"
#include "wakeup.h"

static void *ring_eventfd_run(void *argument)
{
	struct ring_eventfd *scout = argument;
	/* pairs with: ring_eventfd_end; sequentially consistent for the look after wakeup_prepare
	 */
	while (!atomic_load_seq(&scout->leave)) {
		uint32_t key = wakeup_prepare(scout->word);
		fd_ring(scout->bell);
		if (atomic_load_seq(&scout->leave) || ring_stopped(scout->region))
			break;
		wakeup_sleep(scout->word, key);
	}
	/* What came between the last bell and the stop. */
	fd_ring(scout->bell);
	return NULL;
}

int ring_eventfd_start(struct ring_eventfd *scout, const struct region *region, unsigned group)
{
	*scout = (struct ring_eventfd){.region = region, .word = region_wait_word(region, group)};
	scout->bell = fd_bell();
	if (scout->bell < 0)
		return scout->bell;
	int r = pthread_create(&scout->thread, NULL, ring_eventfd_run, scout);
	if (r != 0)
		fd_close(scout->bell);
	return -r;
}

void ring_eventfd_end(struct ring_eventfd *scout)
{
	/* pairs with: ring_eventfd_run */
	(void)atomic_exchange_seq(&scout->leave, 1);
	/* Others of the group are woken for nothing, once. */
	wakeup_force(scout->word);
	pthread_join(scout->thread, NULL);
	fd_close(scout->bell);
}
