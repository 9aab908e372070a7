/* SPDX-License-Identifier: Apache-2.0 */
#include "claim.h"

#include "clock.h"
#include "slot.h"
#include "slot_state.h"
#include "tiny_ring.h"
#include "wakeup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_no_claim(
    struct region *region, unsigned position, unsigned worker, uint64_t *next)
{
	uint64_t seq = 77;
	assert_false(ring_claim(region, position, worker, next, &seq));
	assert_int_equal(seq, 77);
}

/* One batch goes through all positions, with a stage's hint as a worker keeps it. */
static void go_through(struct region *region, uint64_t seq, uint64_t *next)
{
	unsigned sink = region_sink(region);
	tiny_ring_is_ready_at(region, seq, 0);
	ring_advance(region, seq, 0);
	for (unsigned position = 1; position < sink; position++) {
		tiny_ring_is_ready_at(region, seq, position);
		tiny_ring_claim(region, position, position, &next[position], seq);
		assert_false(ring_is_ready(region, seq, position));
		assert_false(ring_passed(region, seq, position));
		assert_true(ring_passed(region, seq, position - 1));
		assert_int_equal(ring_commit(region, seq, position, position), 0);
	}
	tiny_ring_is_ready_at(region, seq, sink);
	ring_advance(region, seq, sink);
	for (unsigned position = 0; position <= sink; position++)
		assert_true(ring_passed(region, seq, position));
	tiny_ring_is_ready_at(region, seq + region->header->n_slots, 0);
}

static void goes_round(void **state)
{
	(void)state;
	static const uint32_t slots[] = {1, 2, 4, 32};
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		for (uint32_t n_stages = 1; n_stages <= 5; n_stages += 2) {
			struct region region = tiny_ring(slots[i], n_stages);
			uint64_t next[8] = {0};
			for (uint64_t seq = 0; seq < 5ull * slots[i]; seq++)
				go_through(&region, seq, next);
			region_free(&region);
		}
	}
}

/* As if it had run for years: the lap's 32 bits run over on the way. */
static void goes_on_after_the_last_lap_number(void **state)
{
	(void)state;
	static const uint32_t slots[] = {1, 2, 16};
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		struct region region = tiny_ring(slots[i], 2);
		uint64_t lap = (1ull << 32) - 3;
		uint64_t first = lap * slots[i];
		uint64_t next[8] = {first, first, first, first};
		for (uint64_t seq = first; seq < first + slots[i]; seq++)
			slot_at(&region, seq)->state = slot_state_ready(slot_state_place(lap, 0));
		for (uint64_t seq = first; seq < first + 6ull * slots[i]; seq++)
			go_through(&region, seq, next);
		region_free(&region);
	}
}

/* All slots in flight at once while the lap's number runs over. */
static void keeps_order_over_the_last_lap_number(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	uint64_t first = (1ull << 32) * 4 - 2;
	uint64_t next = first;
	for (uint64_t seq = first; seq < first + 4; seq++)
		slot_at(&region, seq)->state = slot_state_ready(slot_state_place(seq / 4, 0));
	for (uint64_t seq = first; seq < first + 4; seq++)
		ring_advance(&region, seq, 0);
	for (uint64_t seq = first; seq < first + 4; seq++) {
		tiny_ring_claim(&region, 1, 5, &next, seq);
		assert_no_claim(&region, 1, 6, &next);
		assert_int_equal(ring_commit(&region, seq, 1, 5), 0);
	}
	assert_no_claim(&region, 1, 5, &next);
	for (uint64_t seq = first; seq < first + 4; seq++) {
		tiny_ring_is_ready_at(&region, seq, 2);
		ring_advance(&region, seq, 2);
		tiny_ring_is_ready_at(&region, seq + 4, 0);
	}
	region_free(&region);
}

static void an_unfilled_batch_cannot_be_claimed(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 2);
	uint64_t next = 0;
	assert_no_claim(&region, 1, 0, &next);
	ring_advance(&region, 0, 0);
	assert_no_claim(&region, 2, 0, &next);
	tiny_ring_work(&region, 0, 1);
	assert_no_claim(&region, 1, 0, &next);
	/* The hint has been moved past it. */
	assert_int_equal(next, 1);
	region_free(&region);
}

static void a_stage_takes_batches_in_order_one_at_a_time(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 2);
	uint64_t next[2] = {0, 0};
	for (uint64_t seq = 0; seq < 3; seq++)
		ring_advance(&region, seq, 0);
	tiny_ring_claim(&region, 1, 1, &next[0], 0);
	/* While one is busy there, the next is not for anybody. */
	assert_no_claim(&region, 1, 1, &next[0]);
	assert_no_claim(&region, 1, 2, &next[1]);
	assert_int_equal(ring_commit(&region, 0, 1, 1), 0);
	tiny_ring_claim(&region, 1, 2, &next[1], 1);
	assert_no_claim(&region, 1, 1, &next[0]);

	/* Two are ready for the second stage: it begins with the first of them. */
	assert_int_equal(ring_commit(&region, 1, 1, 2), 0);
	uint64_t later[2] = {0, 0};
	tiny_ring_claim(&region, 2, 3, &later[0], 0);
	assert_no_claim(&region, 2, 4, &later[1]);
	assert_int_equal(ring_commit(&region, 0, 2, 3), 0);
	tiny_ring_claim(&region, 2, 4, &later[1], 1);
	region_free(&region);
}

/* A batch that is ready ahead of its turn, which no commit makes, is left alone. */
static void a_batch_ahead_of_its_turn_waits(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 2);
	ring_advance(&region, 0, 0);
	slot_at(&region, 1)->state = slot_state_ready(slot_state_place(0, 2));
	uint64_t next = 0;
	assert_no_claim(&region, 2, 1, &next);
	tiny_ring_work(&region, 0, 1);
	tiny_ring_work(&region, 0, 2);
	tiny_ring_claim(&region, 2, 1, &next, 1);
	region_free(&region);
}

static void an_old_hint_finds_the_batch(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 1);
	uint64_t next[8] = {0};
	for (uint64_t seq = 0; seq < 100; seq++)
		go_through(&region, seq, next);
	ring_advance(&region, 100, 0);
	uint64_t old = 0;
	tiny_ring_claim(&region, 1, 3, &old, 100);
	assert_int_equal(old, 100);
	region_free(&region);
}

/* A worker that replaces another begins at 0, however long the run has lasted. */
static void a_very_old_hint_finds_the_batch_soon(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	uint64_t first = (1ull << 30) * 4 + 2;
	for (uint64_t seq = first; seq < first + 4; seq++)
		slot_at(&region, seq)->state = slot_state_ready(slot_state_place(seq / 4, 0));
	for (uint64_t seq = first; seq < first + 4; seq++)
		ring_advance(&region, seq, 0);
	tiny_ring_work(&region, first, 1);
	uint64_t start_ns = clock_wall_ns();
	uint64_t next = 0;
	tiny_ring_claim(&region, 1, 3, &next, first + 1);
	uint64_t any = 0;
	uint64_t seq = 0;
	assert_true(ring_claim_any(&region, 1, 4, &any, &seq));
	assert_true(seq == first + 2);
	assert_true(clock_wall_ns() - start_ns < CLOCK_NS_PER_S);
	region_free(&region);
}

/* From every distance, and with slots that are not all in one lap. */
static void no_hint_skips_a_batch(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	uint64_t next[8] = {0};
	for (uint64_t seq = 0; seq < 40; seq++) {
		ring_advance(&region, seq, 0);
		for (uint64_t hint = 0; hint <= seq; hint++) {
			uint64_t from = hint;
			tiny_ring_claim(&region, 1, 3, &from, seq);
			assert_true(ring_take_back(&region, seq, 1, 3));
		}
		tiny_ring_claim(&region, 1, 1, &next[1], seq);
		assert_int_equal(ring_commit(&region, seq, 1, 1), 0);
		/* The sink is two batches behind. */
		if (seq >= 2)
			ring_advance(&region, seq - 2, 2);
	}
	region_free(&region);
}

static void assert_claim_any(
    struct region *region, unsigned position, unsigned worker, uint64_t *next, uint64_t expected)
{
	uint64_t seq = UINT64_MAX;
	assert_true(ring_claim_any(region, position, worker, next, &seq));
	assert_true(seq == expected);
}

static void assert_no_claim_any(
    struct region *region, unsigned position, unsigned worker, uint64_t *next)
{
	uint64_t seq = 77;
	assert_false(ring_claim_any(region, position, worker, next, &seq));
	assert_int_equal(seq, 77);
}

static void a_stateless_stage_takes_any_batch(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 2);
	uint64_t next[3] = {0};
	assert_no_claim_any(&region, 1, 1, &next[0]);
	for (uint64_t seq = 0; seq < 3; seq++)
		ring_advance(&region, seq, 0);
	/* The oldest first, each once, while those before it are busy. */
	assert_claim_any(&region, 1, 1, &next[0], 0);
	assert_claim_any(&region, 1, 2, &next[1], 1);
	assert_no_claim_any(&region, 2, 3, &next[2]);
	assert_claim_any(&region, 1, 3, &next[2], 2);
	assert_no_claim_any(&region, 1, 4, &next[2]);
	/* They come to the next stage out of order; a serial one waits for its turn. */
	assert_int_equal(ring_commit(&region, 2, 1, 3), 0);
	uint64_t serial = 0;
	assert_no_claim(&region, 2, 1, &serial);
	uint64_t any = 0;
	assert_claim_any(&region, 2, 3, &any, 2);
	assert_int_equal(ring_commit(&region, 2, 2, 3), 0);
	/* What is left behind is found again. */
	assert_int_equal(ring_commit(&region, 0, 1, 1), 0);
	assert_claim_any(&region, 2, 3, &any, 0);
	assert_int_equal(ring_commit(&region, 0, 2, 3), 0);
	assert_int_equal(ring_commit(&region, 1, 1, 2), 0);
	tiny_ring_claim(&region, 2, 1, &serial, 1);
	region_free(&region);
}

/* A slot of the next lap is not one of this, however many are free. */
static void a_stateless_stage_goes_round(void **state)
{
	(void)state;
	static const uint32_t slots[] = {1, 2, 8};
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		struct region region = tiny_ring(slots[i], 1);
		uint64_t next = ((1ull << 32) - 2) * slots[i];
		for (uint64_t seq = next; seq < next + slots[i]; seq++)
			slot_at(&region, seq)->state =
			    slot_state_ready(slot_state_place(seq / slots[i], 0));
		for (uint64_t seq = next, end = next + 4ull * slots[i]; seq < end; seq++) {
			assert_no_claim_any(&region, 1, 1, &next);
			ring_advance(&region, seq, 0);
			assert_claim_any(&region, 1, 1, &next, seq);
			assert_no_claim_any(&region, 1, 1, &next);
			assert_int_equal(ring_commit(&region, seq, 1, 1), 0);
			ring_advance(&region, seq, 2);
		}
		region_free(&region);
	}
}

static void a_claim_can_be_taken_back(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 2);
	uint64_t next[2] = {0, 0};
	ring_advance(&region, 0, 0);
	assert_false(ring_take_back(&region, 0, 1, 1));
	tiny_ring_claim(&region, 1, 1, &next[0], 0);
	assert_false(ring_take_back(&region, 0, 1, 2));
	assert_false(ring_take_back(&region, 0, 2, 1));
	assert_false(ring_take_back(&region, 1, 1, 1));
	assert_true(ring_take_back(&region, 0, 1, 1));
	assert_false(ring_take_back(&region, 0, 1, 1));
	tiny_ring_is_ready_at(&region, 0, 1);
	assert_int_equal(ring_commit(&region, 0, 1, 1), -ESTALE);
	tiny_ring_claim(&region, 1, 2, &next[1], 0);
	assert_int_equal(ring_commit(&region, 0, 1, 2), 0);
	assert_false(ring_take_back(&region, 0, 1, 2));
	tiny_ring_is_ready_at(&region, 0, 2);
	region_free(&region);
}

static void a_claim_names_its_worker(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 1);
	uint64_t next = 0;
	ring_advance(&region, 0, 0);
	tiny_ring_claim(&region, 1, REGION_WORKERS_MAX - 1, &next, 0);
	assert_int_equal(slot_at(&region, 0)->state,
	    slot_state_busy(slot_state_place(0, 1), REGION_WORKERS_MAX - 1));
	assert_true(slot_state_is_busy(slot_at(&region, 0)->state));
	assert_int_equal(slot_state_worker(slot_at(&region, 0)->state), REGION_WORKERS_MAX - 1);
	assert_int_equal(ring_commit(&region, 0, 1, 0), -ESTALE);
	assert_int_equal(ring_commit(&region, 0, 1, REGION_WORKERS_MAX - 1), 0);
	region_free(&region);
}

static void what_was_taken_back_cannot_be_committed(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 2);
	uint64_t next[2] = {0, 0};
	ring_advance(&region, 0, 0);
	tiny_ring_claim(&region, 1, 1, &next[0], 0);
	slot_at(&region, 0)->state = slot_state_ready(slot_state_place(0, 1));
	assert_int_equal(ring_commit(&region, 0, 1, 1), -ESTALE);
	tiny_ring_is_ready_at(&region, 0, 1);

	/* Nor after another has claimed it, committed it, or the slot is a lap on. */
	tiny_ring_claim(&region, 1, 2, &next[1], 0);
	assert_int_equal(ring_commit(&region, 0, 1, 1), -ESTALE);
	assert_int_equal(ring_commit(&region, 0, 1, 2), 0);
	assert_int_equal(ring_commit(&region, 0, 1, 1), -ESTALE);
	assert_int_equal(ring_commit(&region, 0, 1, 2), -ESTALE);
	tiny_ring_is_ready_at(&region, 0, 2);
	tiny_ring_work(&region, 0, 2);
	ring_advance(&region, 0, 3);
	ring_advance(&region, 1, 0);
	tiny_ring_claim(&region, 1, 1, &next[0], 1);
	assert_int_equal(ring_commit(&region, 0, 1, 1), -ESTALE);
	assert_int_equal(ring_commit(&region, 1, 1, 1), 0);
	region_free(&region);
}

static void finds_what_a_worker_holds(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 3);
	uint64_t seq = 77;
	unsigned position = 77;
	assert_false(ring_held(&region, 0, &seq, &position));
	uint64_t next[8] = {0};
	for (uint64_t i = 0; i < 9; i++)
		go_through(&region, i, next);
	ring_advance(&region, 9, 0);
	ring_advance(&region, 10, 0);
	tiny_ring_work(&region, 9, 1);
	tiny_ring_claim(&region, 1, 1, &next[1], 10);
	tiny_ring_claim(&region, 2, 2, &next[2], 9);
	assert_false(ring_held(&region, 0, &seq, &position));
	assert_false(ring_held(&region, 1 + 256, &seq, &position));
	assert_int_equal(seq, 77);
	assert_true(ring_held(&region, 1, &seq, &position));
	assert_int_equal(seq, 10);
	assert_int_equal(position, 1);
	assert_true(ring_held(&region, 2, &seq, &position));
	assert_int_equal(seq, 9);
	assert_int_equal(position, 2);
	assert_int_equal(ring_commit(&region, 9, 2, 2), 0);
	assert_false(ring_held(&region, 2, &seq, &position));
	/* A stage may have written anything there: only stages' positions are held. */
	slot_at(&region, 0)->state = slot_state_busy(slot_state_place(0, 0), 2);
	assert_false(ring_held(&region, 2, &seq, &position));
	slot_at(&region, 0)->state = slot_state_busy(slot_state_place(0, 4), 2);
	assert_false(ring_held(&region, 2, &seq, &position));
	slot_at(&region, 0)->state = slot_state_busy(slot_state_place(0, 3), 2);
	assert_true(ring_held(&region, 2, &seq, &position));
	region_free(&region);
}

static void finds_all_that_a_worker_holds(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 2);
	uint64_t next[8] = {0};
	uint64_t seq = 77;
	unsigned position = 77;
	uint32_t slot = 0;
	for (uint64_t i = 0; i < 3; i++)
		ring_advance(&region, i, 0);
	tiny_ring_work(&region, 0, 1);
	tiny_ring_claim(&region, 2, 1, &next[2], 0);
	tiny_ring_work(&region, 1, 1);
	tiny_ring_claim(&region, 1, 1, &next[1], 2);
	assert_true(ring_held_from(&region, 1, &slot, &seq, &position));
	assert_true(seq == 0 && position == 2);
	assert_true(ring_held_from(&region, 1, &slot, &seq, &position));
	assert_true(seq == 2 && position == 1);
	assert_false(ring_held_from(&region, 1, &slot, &seq, &position));
	region_free(&region);
}

/* Prepares a wait on every group's word, and after the call tells whose were woken. */
int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(goes_round),
	    cmocka_unit_test(goes_on_after_the_last_lap_number),
	    cmocka_unit_test(keeps_order_over_the_last_lap_number),
	    cmocka_unit_test(an_unfilled_batch_cannot_be_claimed),
	    cmocka_unit_test(a_stage_takes_batches_in_order_one_at_a_time),
	    cmocka_unit_test(a_batch_ahead_of_its_turn_waits),
	    cmocka_unit_test(an_old_hint_finds_the_batch),
	    cmocka_unit_test(a_very_old_hint_finds_the_batch_soon),
	    cmocka_unit_test(no_hint_skips_a_batch),
	    cmocka_unit_test(a_stateless_stage_takes_any_batch),
	    cmocka_unit_test(a_stateless_stage_goes_round),
	    cmocka_unit_test(a_claim_can_be_taken_back),
	    cmocka_unit_test(a_claim_names_its_worker),
	    cmocka_unit_test(what_was_taken_back_cannot_be_committed),
	    cmocka_unit_test(finds_what_a_worker_holds),
	    cmocka_unit_test(finds_all_that_a_worker_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
