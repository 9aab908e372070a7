/* SPDX-License-Identifier: Apache-2.0 */
/* Whom each step of src/ring/claim.c wakes. */
#include "claim.h"

#include "tiny_ring.h"
#include "wakeup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void prepare_all(struct region *region)
{
	for (unsigned group = 0; group < region->header->n_groups; group++)
		(void)wakeup_prepare(region_wait_word(region, group));
}

static void assert_woken(struct region *region, unsigned group, bool expected)
{
	/* The lowest bit is a sleeper that was not woken yet. */
	assert_int_equal((*region_wait_word(region, group) & 1) == 0, expected);
}

static void assert_all_woken(struct region *region)
{
	for (unsigned group = 0; group < region->header->n_groups; group++)
		assert_woken(region, group, true);
}

static void a_source_is_woken_when_a_quarter_is_free(void **state)
{
	(void)state;
	enum { SLOTS = 8 };
	struct region region = tiny_ring(SLOTS, 1);
	for (uint64_t seq = 0; seq < SLOTS; seq++) {
		ring_advance(&region, seq, 0);
		tiny_ring_work(&region, seq, 1);
	}
	prepare_all(&region);
	ring_retire(&region, 0);
	tiny_ring_is_ready_at(&region, SLOTS, 0);
	assert_woken(&region, GROUP_SOURCE, false);
	ring_retire(&region, 1);
	assert_woken(&region, GROUP_SOURCE, false);
	ring_retire(&region, 2);
	assert_woken(&region, GROUP_SOURCE, true);
	region_free(&region);

	/* Where the others have left before it, the oldest wakes the source. */
	region = tiny_ring(SLOTS, 1);
	for (uint64_t seq = 0; seq < SLOTS; seq++) {
		ring_advance(&region, seq, 0);
		tiny_ring_work(&region, seq, 1);
	}
	for (uint64_t seq = 1; seq < SLOTS; seq++)
		ring_retire(&region, seq);
	prepare_all(&region);
	ring_retire(&region, 0);
	assert_woken(&region, GROUP_SOURCE, true);
	region_free(&region);

	/* Of few slots each one counts. */
	region = tiny_ring(2, 1);
	ring_advance(&region, 0, 0);
	ring_advance(&region, 1, 0);
	tiny_ring_work(&region, 0, 1);
	prepare_all(&region);
	ring_retire(&region, 0);
	assert_woken(&region, GROUP_SOURCE, true);
	region_free(&region);
}

static void whoever_goes_on_with_a_batch_wakes_nobody(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 1);
	prepare_all(&region);
	ring_advance_quietly(&region, 0, 0);
	tiny_ring_is_ready_at(&region, 0, 1);
	assert_true(ring_claim_this(&region, 0, 1, 5));
	/* Another one was quicker; the next batch is not there. */
	assert_false(ring_claim_this(&region, 0, 1, 6));
	assert_false(ring_claim_this(&region, 1, 1, 6));
	assert_int_equal(ring_commit_quietly(&region, 0, 1, 6), -ESTALE);
	assert_int_equal(ring_commit_quietly(&region, 0, 1, 5), 0);
	tiny_ring_is_ready_at(&region, 0, 2);
	for (unsigned group = 0; group < region.header->n_groups; group++)
		assert_woken(&region, group, false);
	ring_wake_at(&region, 2);
	assert_woken(&region, GROUP_SINK, true);
	assert_woken(&region, GROUP_SOURCE, false);
	region_free(&region);
}

static void wakes_whoever_may_go_on(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 2);
	unsigned first = region_group_at(&region, 1);
	unsigned second = region_group_at(&region, 2);
	uint64_t next[2] = {0, 0};
	prepare_all(&region);
	ring_advance(&region, 0, 0);
	assert_woken(&region, GROUP_SOURCE, false);
	assert_woken(&region, first, true);
	assert_woken(&region, second, false);
	assert_woken(&region, GROUP_SINK, false);

	tiny_ring_claim(&region, 1, 0, &next[0], 0);
	prepare_all(&region);
	assert_true(ring_take_back(&region, 0, 1, 0));
	assert_woken(&region, first, true);
	assert_woken(&region, second, false);

	tiny_ring_claim(&region, 1, 0, &next[0], 0);
	prepare_all(&region);
	assert_int_equal(ring_commit(&region, 0, 1, 0), 0);
	/* Another worker of the same stage may take the next batch now. */
	assert_woken(&region, first, true);
	assert_woken(&region, second, true);
	assert_woken(&region, GROUP_SINK, false);
	assert_woken(&region, GROUP_SOURCE, false);

	tiny_ring_claim(&region, 2, 1, &next[1], 0);
	prepare_all(&region);
	assert_int_equal(ring_commit(&region, 0, 2, 0), -ESTALE);
	assert_woken(&region, GROUP_SINK, false);
	assert_int_equal(ring_commit(&region, 0, 2, 1), 0);
	assert_woken(&region, first, false);
	assert_woken(&region, GROUP_SINK, true);

	prepare_all(&region);
	ring_advance(&region, 0, 3);
	assert_woken(&region, GROUP_SOURCE, true);
	assert_woken(&region, first, false);
	assert_woken(&region, second, false);
	assert_woken(&region, GROUP_SINK, false);
	region_free(&region);
}

static void an_end_is_told_to_all(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 3);
	assert_true(ring_end_seq(&region) == END_UNKNOWN);
	prepare_all(&region);
	ring_end(&region, 0);
	assert_int_equal(ring_end_seq(&region), 0);
	assert_false(ring_stopped(&region));
	assert_all_woken(&region);
	ring_end(&region, 1ull << 40);
	assert_true(ring_end_seq(&region) == 1ull << 40);
	region_free(&region);
}

static void a_stop_is_told_to_all(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 3);
	assert_false(ring_stopped(&region));
	prepare_all(&region);
	ring_stop(&region);
	assert_true(ring_stopped(&region));
	assert_all_woken(&region);
	prepare_all(&region);
	ring_stop(&region);
	assert_true(ring_stopped(&region));
	assert_all_woken(&region);
	assert_true(ring_end_seq(&region) == END_UNKNOWN);
	region_free(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_source_is_woken_when_a_quarter_is_free),
	    cmocka_unit_test(whoever_goes_on_with_a_batch_wakes_nobody),
	    cmocka_unit_test(wakes_whoever_may_go_on),
	    cmocka_unit_test(an_end_is_told_to_all),
	    cmocka_unit_test(a_stop_is_told_to_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
