/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for a change of some slot's state, without missing one.
 *
 * The word's lowest bit says that somebody may sleep on it; the rest counts the
 * wake-ups. Nobody is counted in or out, so a waiter that dies leaves at most one
 * needless wake-up behind.
 *
 *	waiter                              waker
 *	key = wait_prepare(word)            change a state
 *	look at the states again            wait_wake(word)
 *	wait_sleep(word, key)
 *
 * Either the waiter's second look sees the change, or the waker sees the bit: both
 * sides' two steps are sequentially consistent.
 *
 * Threads: any, of any process that maps the word.
 */
#ifndef WAIT_H
#define WAIT_H

#include <stdint.h>

uint32_t wait_prepare(uint32_t *word);

/* Sleeps until a wait_wake() after the wait_prepare() that gave the key. */
void wait_sleep(uint32_t *word, uint32_t key);

/* Wakes everyone who sleeps; costs one load when nobody does. */
void wait_wake(uint32_t *word);

#endif
