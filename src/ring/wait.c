/* SPDX-License-Identifier: Apache-2.0 */
#include "wait.h"

#include "atomic.h"
#include "futex.h"

#define WAIT_SLEEPER 1u
#define WAIT_COUNT   2u

uint32_t wait_prepare(uint32_t *word)
{
	/* pairs with: wait_wake: its load sees the bit, or our next look its change */
	return atomic_or_seq(word, WAIT_SLEEPER) | WAIT_SLEEPER;
}

void wait_sleep(uint32_t *word, uint32_t key)
{
	futex_wait(word, key);
}

void wait_wake(uint32_t *word)
{
	/* pairs with: wait_prepare */
	uint32_t seen = atomic_load_seq(word);
	while (seen & WAIT_SLEEPER) {
		/* pairs with: wait_prepare; of several wakers one makes the system call */
		if (atomic_cas_seq(word, &seen, (seen + WAIT_COUNT) & ~WAIT_SLEEPER)) {
			futex_wake_all(word);
			return;
		}
	}
}
