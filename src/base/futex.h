/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping on a word in memory shared by processes. Threads: any. */
#ifndef FUTEX_H
#define FUTEX_H

#include <stdint.h>

/* Sleeps while *word is value, until woken; may return early for no reason. */
void futex_wait(const uint32_t *word, uint32_t value);

/* Wakes everyone who sleeps on the word. */
void futex_wake_all(uint32_t *word);

#endif
