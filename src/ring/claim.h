/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may work on which slot: claim, commit, and waiting for either.
 *
 * The slots' state words are the only truth. A stateless stage takes any batch that is
 * READY for it; a serial one takes them strictly in order, one at a time. That needs no
 * cursor: batch `seq` may be claimed at a position when it is READY there and the batch
 * before it has passed that position, which its own state word tells. A caller's `next`
 * is a hint that only saves looking at batches that have passed already.
 *
 * The source (position 0) and the sink (position n + 1) are one thread each, in the
 * process that owns the run; they move slots on with ring_advance and need no claim.
 *
 *	source         worker                     sink
 *	READY(0) ───▶ READY(1) ─claim─▶ BUSY(1)
 *	                     ◀─commit─┘ READY(2) … READY(n+1) ───▶ READY(0), next lap
 */
#ifndef CLAIM_H
#define CLAIM_H

#include "region.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether the batch is READY at this position. */
bool ring_is_ready(const struct region *region, uint64_t seq, unsigned position);

/* Whether the batch, which has been filled, has left this position behind. */
bool ring_passed(const struct region *region, uint64_t seq, unsigned position);

/* For the source and the sink: moves a READY batch on and wakes who waits for it. */
void ring_advance(const struct region *region, uint64_t seq, unsigned position);

/*
 * The sink's: lets the slot go, for the source to fill again. While most of the window is
 * still full the source is not woken, to find one slot free each time: there is work
 * enough, and a batch that is retired later wakes it.
 */
void ring_retire(const struct region *region, uint64_t seq);

/*
 * For one who goes on with the batch itself: ring_advance, ring_commit and a claim of
 * this very batch, which wake nobody. Where it leaves the batch it owes ring_wake_at. The
 * claim fails when another was quicker; that the batches before it have passed is the
 * caller's to know.
 */
void ring_advance_quietly(const struct region *region, uint64_t seq, unsigned position);
int ring_commit_quietly(
    const struct region *region, uint64_t seq, unsigned position, unsigned worker);
bool ring_claim_this(const struct region *region, uint64_t seq, unsigned position, unsigned worker);

/* Wakes who waits for a batch at this position. */
void ring_wake_at(const struct region *region, unsigned position);

/*
 * Claims the next batch of a serial position for a worker. *next is the caller's
 * hint for this position, 0 at first, and is moved on. Returns true with *ret_seq.
 */
bool ring_claim(const struct region *region, unsigned position, unsigned worker, uint64_t *next,
    uint64_t *ret_seq);

/*
 * The same for a stateless position: any batch of the window that is READY there, the
 * oldest first.
 */
bool ring_claim_any(const struct region *region, unsigned position, unsigned worker, uint64_t *next,
    uint64_t *ret_seq);

/*
 * Whether every batch there is or will be has been claimed at this position or has passed
 * it; `next` is a claimer's hint.
 */
bool ring_all_claimed(const struct region *region, unsigned position, uint64_t next);

/*
 * Ends a claim: the batch goes on to the next position. Returns 0, or -ESTALE when
 * the claim was taken back.
 */
int ring_commit(const struct region *region, uint64_t seq, unsigned position, unsigned worker);

/* How many batches are at a group's positions, claimed or not. */
unsigned ring_present(const struct region *region, unsigned group);

/* Finds the batch that a worker holds. Returns true with its seq and position. */
bool ring_held(
    const struct region *region, unsigned worker, uint64_t *ret_seq, unsigned *ret_position);

/* The same from a slot on, 0 at first, which is moved past it: for all that it holds. */
bool ring_held_from(const struct region *region, unsigned worker, uint32_t *slot, uint64_t *ret_seq,
    unsigned *ret_position);

/*
 * Takes a dead worker's claim back: another may make it again, with the same input.
 * Returns false when the worker does not hold it.
 */
bool ring_take_back(const struct region *region, uint64_t seq, unsigned position, unsigned worker);

/*
 * Gives one's own claim back, for want of memory, and what was written with it. The batch
 * may be claimed again when it is the oldest. To the model it is ring_take_back: who looks
 * for it has less to take for a while, and memory_budget_await sees that its time is not missed.
 */
void ring_give_back(const struct region *region, uint64_t seq, unsigned position, unsigned worker);

/*
 * Makes everyone look again. A worker that died may have committed and not said so:
 * whoever waited for that batch would never hear of it.
 */
void ring_wake_all(const struct region *region);

/* Says that there are no batches from `end` on. */
void ring_end(const struct region *region, uint64_t end);
uint64_t ring_end_seq(const struct region *region);

/* Tells everyone who waits to give up. */
void ring_stop(const struct region *region);
bool ring_stopped(const struct region *region);

#endif
