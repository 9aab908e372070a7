/* SPDX-License-Identifier: Apache-2.0 */
/* What may still come to who holds a batch; see src/ring/claim.c. */
#include "claim.h"

#include "budget.h"
#include "tiny_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SLOTS = 8, HOLDER = 1, OTHER = 2 };

/* A ring of two stages with so many batches ready for the first. */
static struct region ring_of(uint64_t n)
{
	struct region region = tiny_ring(SLOTS, 2);
	for (uint64_t seq = 0; seq < n; seq++)
		ring_advance(&region, seq, 0);
	return region;
}

static void nothing_comes_to_the_first_when_all_others_are_claimed_or_past(void **state)
{
	(void)state;
	struct region region = ring_of(3);
	assert_true(ring_claim_this(&region, 0, 1, HOLDER));
	assert_true(ring_claim_this(&region, 1, 1, OTHER));
	assert_false(ring_none_to_come(&region, 0, 1));
	tiny_ring_work(&region, 2, 1);
	assert_true(ring_none_to_come(&region, 0, 1));
	/* The second waits for the first. */
	assert_false(ring_none_to_come(&region, 1, 1));
	assert_int_equal(ring_commit(&region, 0, 1, HOLDER), 0);
	assert_true(ring_none_to_come(&region, 1, 1));
	region_free(&region);
}

static void what_is_at_a_stage_before_is_on_its_way(void **state)
{
	(void)state;
	struct region region = ring_of(2);
	tiny_ring_work(&region, 0, 1);
	assert_true(ring_claim_this(&region, 0, 2, HOLDER));
	assert_false(ring_none_to_come(&region, 0, 2));
	assert_true(ring_claim_this(&region, 1, 1, OTHER));
	assert_false(ring_none_to_come(&region, 0, 2));
	assert_int_equal(ring_commit(&region, 1, 1, OTHER), 0);
	assert_false(ring_none_to_come(&region, 0, 2));
	assert_true(ring_claim_this(&region, 1, 2, OTHER));
	assert_true(ring_none_to_come(&region, 0, 2));
	region_free(&region);
}

static void what_waits_to_be_the_oldest_does_not_come(void **state)
{
	(void)state;
	struct region region = ring_of(3);
	assert_true(ring_claim_this(&region, 0, 1, HOLDER));
	assert_true(ring_claim_this(&region, 1, 1, OTHER));
	ring_give_back(&region, 1, 1, OTHER);
	tiny_ring_work(&region, 2, 1);
	assert_true(ring_none_to_come(&region, 0, 1));
	/* Nor does it to a later one, for which it is no reason to wait either. */
	assert_true(ring_claim_this(&region, 2, 2, HOLDER));
	assert_false(ring_none_to_come(&region, 2, 2));
	tiny_ring_is_ready_at(&region, 1, 1);
	assert_int_equal(ring_commit(&region, 0, 1, HOLDER), 0);
	assert_true(ring_claim_this(&region, 0, 2, OTHER));
	assert_int_equal(ring_commit(&region, 0, 2, OTHER), 0);
	assert_true(ring_none_to_come(&region, 2, 2));
	/* As the oldest it comes. */
	ring_retire(&region, 0);
	budget_move_on(&region, 1);
	assert_false(ring_none_to_come(&region, 2, 2));
	region_free(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_comes_to_the_first_when_all_others_are_claimed_or_past),
	    cmocka_unit_test(what_is_at_a_stage_before_is_on_its_way),
	    cmocka_unit_test(what_waits_to_be_the_oldest_does_not_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
