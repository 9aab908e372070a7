/* SPDX-License-Identifier: Apache-2.0 */
#include "deadlock.h"

#include "claim.h"
#include "memory_budget.h"
#include "tiny_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* tiny_ring has a worker a stage; which of them works where is the test's to say. */
enum { SLOTS = 8, A = 0, B = 1, C = 2 };

/* A ring of three stages with so many batches ready for the first. */
static struct region ring_of(uint64_t n)
{
	struct region region = tiny_ring(SLOTS, 3);
	for (uint64_t seq = 0; seq < n; seq++)
		ring_advance(&region, seq, 0);
	return region;
}

static void assert_turns(const struct region *region, unsigned position, bool a, bool b)
{
	assert_int_equal(deadlock_must_yield(region, position, A), a);
	assert_int_equal(deadlock_must_yield(region, position, B), b);
}

static void a_ring_stands_when_who_holds_the_oldest_batch_starves(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	assert_true(ring_claim_this(&region, 0, 1, A));
	assert_true(ring_claim_this(&region, 1, 1, B));
	assert_false(deadlock_is_reached(&region));
	deadlock_report(&region, B, DEADLOCK_CAN_FLUSH);
	assert_false(deadlock_is_reached(&region));
	deadlock_report(&region, A, DEADLOCK_CAN_FLUSH);
	assert_true(deadlock_is_reached(&region));
	assert_turns(&region, 1, true, false);
	/* What is claimed beside it does not come, whoever has it. */
	deadlock_report(&region, B, DEADLOCK_NONE);
	assert_turns(&region, 1, true, false);
	deadlock_report(&region, A, DEADLOCK_NONE);
	assert_false(deadlock_is_reached(&region));
	region_free(&region);
}

static void a_ring_does_not_stand_while_the_oldest_batch_moves(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	deadlock_report(&region, B, DEADLOCK_CAN_FLUSH);
	assert_true(ring_claim_this(&region, 1, 1, B));
	/* Somebody may take it. */
	assert_false(deadlock_is_reached(&region));
	/* Somebody works on it, here and further on. */
	tiny_ring_work(&region, 0, 1);
	assert_false(deadlock_is_reached(&region));
	assert_true(ring_claim_this(&region, 0, 2, C));
	assert_turns(&region, 1, false, false);
	assert_int_equal(ring_commit(&region, 0, 2, C), 0);
	tiny_ring_work(&region, 0, 3);
	/* It is at the sink, whose reader may be slow. */
	assert_false(deadlock_is_reached(&region));
	ring_retire(&region, 0);
	memory_budget_move_on(&region, 1);
	assert_turns(&region, 1, false, true);
	region_free(&region);
}

static void a_ring_does_not_stand_while_something_comes(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	deadlock_report(&region, A, DEADLOCK_CAN_FLUSH);
	tiny_ring_work(&region, 0, 1);
	assert_true(ring_claim_this(&region, 0, 2, A));
	/* At the stage before, at work there, and ready here. */
	assert_false(deadlock_is_reached(&region));
	assert_true(ring_claim_this(&region, 1, 1, B));
	assert_false(deadlock_is_reached(&region));
	assert_int_equal(ring_commit(&region, 1, 1, B), 0);
	assert_false(deadlock_is_reached(&region));
	/* Past it, it is none of those that come. */
	tiny_ring_work(&region, 1, 2);
	assert_true(deadlock_is_reached(&region));
	region_free(&region);
}

static void what_is_ready_behind_a_gap_does_not_come_to_a_lone_worker(void **state)
{
	(void)state;
	struct region region = ring_of(3);
	tiny_ring_work(&region, 0, 1);
	assert_true(ring_claim_this(&region, 0, 2, A));
	assert_true(ring_claim_this(&region, 1, 1, B));
	tiny_ring_work(&region, 2, 1);
	deadlock_report(&region, A, DEADLOCK_NEEDS_INPUT);
	/* What fills the gap is at work. */
	assert_false(deadlock_is_reached(&region));
	deadlock_report(&region, B, DEADLOCK_CAN_FLUSH);
	assert_turns(&region, 1, true, true);
	/* With the gap filled, the one behind it comes too. */
	assert_int_equal(ring_commit(&region, 1, 1, B), 0);
	assert_true(ring_claim_this(&region, 1, 2, A));
	assert_false(deadlock_is_reached(&region));
	region_free(&region);
}

static void what_is_with_one_who_starves_does_not_come(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	tiny_ring_work(&region, 0, 1);
	assert_true(ring_claim_this(&region, 0, 2, A));
	assert_true(ring_claim_this(&region, 1, 1, B));
	deadlock_report(&region, A, DEADLOCK_CAN_FLUSH);
	deadlock_report(&region, B, DEADLOCK_NEEDS_INPUT);
	assert_true(deadlock_must_yield(&region, 2, A));
	/* One that can only be told more is helped by who is before it, not behind it. */
	deadlock_report(&region, A, DEADLOCK_NEEDS_INPUT);
	deadlock_report(&region, B, DEADLOCK_CAN_FLUSH);
	assert_true(deadlock_must_yield(&region, 1, B));
	assert_false(deadlock_must_yield(&region, 2, B));
	assert_false(deadlock_must_yield(&region, 3, C));
	region_free(&region);
}

static void what_waits_to_be_the_oldest_does_not_come(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	assert_true(ring_claim_this(&region, 0, 1, A));
	assert_true(ring_claim_this(&region, 1, 1, B));
	deadlock_report(&region, A, DEADLOCK_CAN_FLUSH);
	ring_give_back(&region, 1, 1, B);
	tiny_ring_is_ready_at(&region, 1, 1);
	assert_true(deadlock_is_reached(&region));
	/* As the oldest it is there to be taken. */
	assert_int_equal(ring_commit(&region, 0, 1, A), 0);
	tiny_ring_work(&region, 0, 2);
	tiny_ring_work(&region, 0, 3);
	ring_retire(&region, 0);
	memory_budget_move_on(&region, 1);
	assert_false(deadlock_is_reached(&region));
	region_free(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_ring_stands_when_who_holds_the_oldest_batch_starves),
	    cmocka_unit_test(a_ring_does_not_stand_while_the_oldest_batch_moves),
	    cmocka_unit_test(a_ring_does_not_stand_while_something_comes),
	    cmocka_unit_test(what_is_ready_behind_a_gap_does_not_come_to_a_lone_worker),
	    cmocka_unit_test(what_is_with_one_who_starves_does_not_come),
	    cmocka_unit_test(what_waits_to_be_the_oldest_does_not_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
