/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomic operations with their order in their name. They work on plain words in
 * memory shared by processes, which C11's _Atomic types do not promise to.
 *
 * Beside each acquire, release or seq_cst operation in the code stands a comment
 * `pairs with: FUNCTION`, the other side of it. There are no stand-alone fences:
 * ThreadSanitizer does not see them.
 */
#ifndef ATOMIC_H
#define ATOMIC_H

#define atomic_load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_load_seq(p)     __atomic_load_n(p, __ATOMIC_SEQ_CST)

#define atomic_store_relaxed(p, value) __atomic_store_n(p, value, __ATOMIC_RELAXED)
#define atomic_store_release(p, value) __atomic_store_n(p, value, __ATOMIC_RELEASE)

#define atomic_exchange_seq(p, value) __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)
#define atomic_or_seq(p, bits)	      __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST)
#define atomic_add_relaxed(p, value)  __atomic_fetch_add(p, value, __ATOMIC_RELAXED)

/* Strong; on failure *expected becomes what was there. */
#define atomic_cas_seq(p, expected, desired)                                                       \
	__atomic_compare_exchange_n(p, expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#endif
