/* SPDX-License-Identifier: Apache-2.0 */
#include "tiny_ring.h"

#include "claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct region tiny_ring(uint32_t n_slots, uint32_t n_stages)
{
	struct region_stage stages[8] = {0};
	struct region_worker workers[8] = {0};
	assert_true(n_stages <= 8);
	for (uint32_t i = 0; i < n_stages; i++) {
		stages[i].group = GROUP_WORKERS + i;
		stages[i].name[0] = (char)('a' + i);
		workers[i].group = GROUP_WORKERS + i;
	}
	struct region_config config = {
	    .n_slots = n_slots,
	    .frame = LEAT_NEWLINE,
	    .max_record = 4 << 20,
	    .stages = stages,
	    .n_stages = n_stages,
	    .workers = workers,
	    .n_workers = n_stages,
	};
	struct region region = {0};
	assert_int_equal(region_new(&config, &region), 0);
	return region;
}

void tiny_ring_claim(
    struct region *region, unsigned position, unsigned worker, uint64_t *next, uint64_t expected)
{
	uint64_t seq = UINT64_MAX;
	assert_true(ring_claim(region, position, worker, next, &seq));
	assert_true(seq == expected);
}

void tiny_ring_is_ready_at(struct region *region, uint64_t seq, unsigned position)
{
	for (unsigned p = 0; p <= region_sink(region); p++) {
		assert_int_equal(ring_is_ready(region, seq, p), p == position);
		assert_int_equal(ring_passed(region, seq, p), p < position);
	}
}

void tiny_ring_work(struct region *region, uint64_t seq, unsigned position)
{
	uint64_t next = seq;
	tiny_ring_claim(region, position, 9, &next, seq);
	assert_int_equal(ring_commit(region, seq, position, 9), 0);
}
