/* SPDX-License-Identifier: Apache-2.0 */
#include "starve.h"

#include "budget.h"
#include "claim.h"
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
	assert_int_equal(starve_is_turn(region, position, A), a);
	assert_int_equal(starve_is_turn(region, position, B), b);
}

static void a_ring_stands_when_who_holds_the_oldest_batch_starves(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	assert_true(ring_claim_this(&region, 0, 1, A));
	assert_true(ring_claim_this(&region, 1, 1, B));
	assert_false(starve_stands(&region));
	starve_say(&region, B, STARVE_MAY_REST);
	assert_false(starve_stands(&region));
	starve_say(&region, A, STARVE_MAY_REST);
	assert_true(starve_stands(&region));
	assert_turns(&region, 1, true, false);
	/* What is claimed beside it does not come, whoever has it. */
	starve_say(&region, B, STARVE_NO);
	assert_turns(&region, 1, true, false);
	starve_say(&region, A, STARVE_NO);
	assert_false(starve_stands(&region));
	region_free(&region);
}

static void a_ring_does_not_stand_while_the_oldest_batch_moves(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	starve_say(&region, B, STARVE_MAY_REST);
	assert_true(ring_claim_this(&region, 1, 1, B));
	/* Somebody may take it. */
	assert_false(starve_stands(&region));
	/* Somebody works on it, here and further on. */
	tiny_ring_work(&region, 0, 1);
	assert_false(starve_stands(&region));
	assert_true(ring_claim_this(&region, 0, 2, C));
	assert_turns(&region, 1, false, false);
	assert_int_equal(ring_commit(&region, 0, 2, C), 0);
	tiny_ring_work(&region, 0, 3);
	/* It is at the sink, whose reader may be slow. */
	assert_false(starve_stands(&region));
	ring_retire(&region, 0);
	budget_move_on(&region, 1);
	assert_turns(&region, 1, false, true);
	region_free(&region);
}

static void a_ring_does_not_stand_while_something_comes(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	starve_say(&region, A, STARVE_MAY_REST);
	tiny_ring_work(&region, 0, 1);
	assert_true(ring_claim_this(&region, 0, 2, A));
	/* At the stage before, at work there, and ready here. */
	assert_false(starve_stands(&region));
	assert_true(ring_claim_this(&region, 1, 1, B));
	assert_false(starve_stands(&region));
	assert_int_equal(ring_commit(&region, 1, 1, B), 0);
	assert_false(starve_stands(&region));
	/* Past it, it is none of those that come. */
	tiny_ring_work(&region, 1, 2);
	assert_true(starve_stands(&region));
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
	starve_say(&region, A, STARVE_ONLY_MORE);
	/* What fills the gap is at work. */
	assert_false(starve_stands(&region));
	starve_say(&region, B, STARVE_MAY_REST);
	assert_turns(&region, 1, true, true);
	/* With the gap filled, the one behind it comes too. */
	assert_int_equal(ring_commit(&region, 1, 1, B), 0);
	assert_true(ring_claim_this(&region, 1, 2, A));
	assert_false(starve_stands(&region));
	region_free(&region);
}

static void what_is_with_one_who_starves_does_not_come(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	tiny_ring_work(&region, 0, 1);
	assert_true(ring_claim_this(&region, 0, 2, A));
	assert_true(ring_claim_this(&region, 1, 1, B));
	starve_say(&region, A, STARVE_MAY_REST);
	starve_say(&region, B, STARVE_ONLY_MORE);
	assert_true(starve_is_turn(&region, 2, A));
	/* One that can only be told more is helped by who is before it, not behind it. */
	starve_say(&region, A, STARVE_ONLY_MORE);
	starve_say(&region, B, STARVE_MAY_REST);
	assert_true(starve_is_turn(&region, 1, B));
	assert_false(starve_is_turn(&region, 2, B));
	assert_false(starve_is_turn(&region, 3, C));
	region_free(&region);
}

static void what_waits_to_be_the_oldest_does_not_come(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	assert_true(ring_claim_this(&region, 0, 1, A));
	assert_true(ring_claim_this(&region, 1, 1, B));
	starve_say(&region, A, STARVE_MAY_REST);
	ring_give_back(&region, 1, 1, B);
	tiny_ring_is_ready_at(&region, 1, 1);
	assert_true(starve_stands(&region));
	/* As the oldest it is there to be taken. */
	assert_int_equal(ring_commit(&region, 0, 1, A), 0);
	tiny_ring_work(&region, 0, 2);
	tiny_ring_work(&region, 0, 3);
	ring_retire(&region, 0);
	budget_move_on(&region, 1);
	assert_false(starve_stands(&region));
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
