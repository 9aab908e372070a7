/* SPDX-License-Identifier: Apache-2.0 */
#include "tiny_ring.h"

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
