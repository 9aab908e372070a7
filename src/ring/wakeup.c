/* SPDX-License-Identifier: Apache-2.0 */
#include "wakeup.h"

#include "atomic.h"
#include "futex.h"

#define NOTIFY_SLEEPER 1u
#define NOTIFY_COUNT   2u

uint32_t wakeup_prepare(uint32_t *word)
{
	/* pairs with: wakeup_wake: its load sees the bit, or our next look its change */
	return atomic_or_seq(word, NOTIFY_SLEEPER) | NOTIFY_SLEEPER;
}

void wakeup_sleep(uint32_t *word, uint32_t key)
{
	futex_wait(word, key);
}

void wakeup_wake(uint32_t *word)
{
	/* pairs with: wakeup_prepare */
	uint32_t seen = atomic_load_seq(word);
	while (seen & NOTIFY_SLEEPER) {
		/* pairs with: wakeup_prepare; of several wakers one makes the system call */
		if (atomic_cas_seq(word, &seen, (seen + NOTIFY_COUNT) & ~NOTIFY_SLEEPER)) {
			futex_wake_all(word);
			return;
		}
	}
}

void wakeup_force(uint32_t *word)
{
	uint32_t seen = atomic_load_seq(word);
	/* pairs with: wakeup_prepare; one that was prepared before does not fall asleep now */
	while (!atomic_cas_seq(word, &seen, (seen + NOTIFY_COUNT) & ~NOTIFY_SLEEPER))
		;
	futex_wake_all(word);
}
