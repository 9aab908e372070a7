/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for a change of some slot's state, without missing one.
 *
 * The word's lowest bit says that somebody may sleep on it; the rest counts the
 * wake-ups. Nobody is counted in or out, so a waiter that dies leaves at most one
 * needless wake-up behind; after a waker that may have died, wakeup_force.
 *
 *	waiter                              waker
 *	key = wakeup_prepare(word)            change a state
 *	look at the states again            wakeup_wake(word)
 *	wakeup_sleep(word, key)
 *
 * Either the waiter's second look sees the change, or the waker sees the bit: both
 * sides' two steps are sequentially consistent.
 *
 * Threads: any, of any process that maps the word.
 */
#ifndef WAKEUP_H
#define WAKEUP_H

#include <stdint.h>

uint32_t wakeup_prepare(uint32_t *word);

/* Sleeps until a wakeup_wake() after the wakeup_prepare() that gave the key. */
void wakeup_sleep(uint32_t *word, uint32_t key);

/* Wakes everyone who sleeps; costs one load when nobody does. */
void wakeup_wake(uint32_t *word);

/*
 * Wakes everyone who sleeps, whatever the bit says: a waker that died between clearing
 * it and waking has left sleepers that no bit tells of. For after a death, and an end.
 */
void wakeup_force(uint32_t *word);

#endif
