/* SPDX-License-Identifier: Apache-2.0 */
#include "region.h"

#include "fd.h"
#include "slot.h"
#include "slot_state.h"
#include "tiny_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static off_t file_size(int fd)
{
	struct stat info;
	assert_int_equal(fstat(fd, &info), 0);
	return info.st_size;
}

/* A table begins where the one before it ends, or on the cache line behind that. */
static uint64_t assert_follows(uint64_t offset, uint64_t before, uint64_t size)
{
	assert_int_equal(offset % 64, 0);
	assert_in_range(offset, before, before + 63);
	return offset + size;
}

static void check_layout(const struct region *region)
{
	const struct region_header *header = region->header;
	uint64_t end = assert_follows(header->waits_offset, sizeof(*header),
	    (uint64_t)header->n_groups * sizeof(struct region_waits));
	end = assert_follows(
	    header->stages_offset, end, header->n_stages * sizeof(struct region_stage));
	end = assert_follows(
	    header->workers_offset, end, header->n_workers * sizeof(struct region_worker));
	assert_int_equal(header->slot_stride % 64, 0);
	assert_true(header->slot_stride >=
		    sizeof(struct slot) + header->n_stages * sizeof(struct slot_history));
	end = assert_follows(
	    header->slots_offset, end, (uint64_t)header->n_slots * header->slot_stride);
	assert_int_equal(header->areas_offset % 4096, 0);
	assert_true(header->areas_offset >= end);
	assert_int_equal(header->area_capacity % 4096, 0);
	assert_true(header->area_capacity > 2 * header->max_record);
	assert_int_equal(
	    header->size, header->areas_offset + 2 * header->n_slots * header->area_capacity);
	assert_int_equal(file_size(region->fd), header->size);
}

static void lays_its_tables_one_after_another(void **state)
{
	(void)state;
	for (uint32_t n_slots = 1; n_slots <= 64; n_slots *= 8) {
		for (uint32_t n_stages = 1; n_stages <= 8; n_stages++) {
			struct region region = tiny_ring(n_slots, n_stages);
			assert_int_equal(region.header->n_groups, GROUP_WORKERS + n_stages);
			check_layout(&region);
			region_free(&region);
		}
	}
}

static void every_table_is_where_it_is_said_to_be(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 3);
	const struct region_header *header = region.header;
	const char *base = (const char *)header;
	assert_ptr_equal(region_stage(&region, 2),
	    base + header->stages_offset + 2 * sizeof(struct region_stage));
	assert_ptr_equal(region_worker(&region, 2),
	    base + header->workers_offset + 2 * sizeof(struct region_worker));
	assert_ptr_equal(region_wait_word(&region, 4),
	    base + header->waits_offset + 4 * (long)sizeof(struct region_waits));
	assert_ptr_equal(
	    slot_at(&region, 3), base + header->slots_offset + 3l * header->slot_stride);
	assert_ptr_equal(slot_area(&region, 3, 1),
	    base + header->areas_offset + 7 * (long)header->area_capacity);
	region_free(&region);
}

/* What another build of leat would look for. */
static void is_known_by_its_first_bytes(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 1);
	char start[16];
	assert_int_equal(pread(region.fd, start, sizeof(start), 0), sizeof(start));
	uint64_t size = (uint64_t)file_size(region.fd);
	assert_memory_equal(start, "leat\4\0\0\0", 8);
	assert_memory_equal(start + 8, &size, 8);
	assert_int_equal(fcntl(region.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	region_free(&region);
}

static void begins_empty(void **state)
{
	(void)state;
	struct region region = tiny_ring(8, 2);
	assert_true(region.header->end_seq == END_UNKNOWN);
	assert_int_equal(region.header->stop, 0);
	for (uint64_t seq = 0; seq < 8; seq++) {
		assert_int_equal(
		    slot_at(&region, seq)->state, slot_state_ready(slot_state_place(0, 0)));
		assert_false(slot_failed(slot_at(&region, seq)));
	}
	for (unsigned group = 0; group < region.header->n_groups; group++)
		assert_int_equal(*region_wait_word(&region, group), 0);
	region_free(&region);
}

/* The areas take address space, but no memory before they are written. */
static void costs_little_at_first(void **state)
{
	(void)state;
	struct region region = tiny_ring(64, 4);
	struct stat info;
	assert_int_equal(fstat(region.fd, &info), 0);
	assert_true(info.st_size > 512 << 20);
	assert_true(info.st_blocks * 512 < 256 << 10);
	region_free(&region);
}

/* Everything that may be charged together is no more than what was asked for. */
static void shares_its_memory_out(void **state)
{
	(void)state;
	static const struct {
		uint64_t memory;
		uint64_t max_record;
		uint32_t n_slots;
		uint64_t expected;
	} cases[] = {
	    {1 << 20, 1000, 32, 1 << 20},
	    {1, 1000, 32, 1 << 20},
	    {3 << 20, 1 << 30, 32, 3 << 20},
	    {64 << 20, 1000, 32, 64 << 20},
	    {64 << 20, 1000, 1, 64 << 20},
	    /* No more, as ThreadSanitizer leaves less room for mappings. */
	    {1ull << 35, 1000, 32, 1ull << 35},
	    {1 << 20, 1000, 256, 1 << 20},
	    {8 << 20, 1000, 256, 8 << 20},
	    {0, 1000, 32, 256 << 20},
	    {0, 64 << 20, 32, (512 + 4) << 20},
	    {0, UINT32_MAX, 32, 8 * (1ull << 32) + (4 << 20) - 8},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct region_config config = {.n_slots = cases[i].n_slots,
		    .max_record = cases[i].max_record,
		    .memory = cases[i].memory};
		struct region region = {0};
		assert_int_equal(region_new(&config, &region), 0);
		const struct region_header *header = region.header;
		assert_int_equal(header->memory, cases[i].expected);
		assert_int_equal(2 * header->n_slots * header->area_keep + header->young +
				     2 * (header->area_capacity - header->area_keep),
		    header->memory);
		/* The source's buffer may hold what an area may. */
		assert_true(header->young >= header->area_capacity);
		assert_true(header->young < header->memory);
		assert_true(header->area_keep >= 4096 && header->area_keep <= 512 << 10);
		assert_int_equal(header->area_keep % 4096, 0);
		assert_int_equal(header->area_capacity % 4096, 0);
		uint64_t longest = region_longest(&region);
		assert_true(longest == cases[i].max_record || longest == header->area_capacity - 1);
		/* What is not asked for is enough for the longest record. */
		if (cases[i].memory == 0)
			assert_int_equal(longest, cases[i].max_record);
		region_free(&region);
	}
}

/* A number of records has no size of its own: as much as half an area holds. */
static void exact_batches_have_their_share(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		uint32_t records;
	} cases[] = {{0, 1000}, {1 << 20, UINT32_MAX}, {4096, UINT32_MAX}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct region_config config = {.n_slots = 32,
		    .max_record = 64 << 20,
		    .batch_bytes = cases[i].bytes,
		    .batch_exactly = cases[i].records};
		struct region region = {0};
		assert_int_equal(region_new(&config, &region), 0);
		const struct region_header *header = region.header;
		uint64_t half = header->area_capacity / 2;
		assert_int_equal(header->batch_bytes, cases[i].bytes ? cases[i].bytes : half);
		assert_true(header->area_keep >= 512 << 10);
		assert_true(header->area_keep >= cases[i].bytes);
		assert_true(header->young >= header->area_capacity);
		region_free(&region);
	}
}

static void copies_its_tables(void **state)
{
	(void)state;
	struct region_stage stages[] = {
	    {.kind = STAGE_C, .group = 5, .name = "mul", .function = "f", .target = "/a.so"},
	    {.kind = STAGE_PYTHON_MODULE, .group = 3, .name = "add"},
	};
	struct region_worker workers[] = {{.host = 2, .group = 5}, {.host = 1, .group = 3}};
	struct region_config config = {
	    .n_slots = 2,
	    .frame = LEAT_U32,
	    .max_record = 1000,
	    .stages = stages,
	    .n_stages = 2,
	    .workers = workers,
	    .n_workers = 2,
	};
	struct region region = {0};
	assert_int_equal(region_new(&config, &region), 0);
	check_layout(&region);
	assert_int_equal(region.header->frame, LEAT_U32);
	assert_int_equal(region.header->max_record, 1000);
	assert_int_equal(region.header->n_groups, 6);
	assert_memory_equal(region_stage(&region, 0), &stages[0], sizeof(stages[0]));
	assert_memory_equal(region_stage(&region, 1), &stages[1], sizeof(stages[1]));
	assert_memory_equal(region_worker(&region, 0), &workers[0], sizeof(workers[0]));
	assert_memory_equal(region_worker(&region, 1), &workers[1], sizeof(workers[1]));
	assert_int_equal(region_sink(&region), 3);
	assert_int_equal(region_group_at(&region, 0), GROUP_SOURCE);
	assert_int_equal(region_group_at(&region, 1), 5);
	assert_int_equal(region_group_at(&region, 2), 3);
	assert_int_equal(region_group_at(&region, 3), GROUP_SINK);
	region_free(&region);
}

static void a_rank_counts_the_own_group(void **state)
{
	(void)state;
	struct region_stage stages[] = {{.group = 2}, {.group = 3}};
	struct region_worker workers[] = {{.group = 2}, {.group = 3}, {.group = 3}, {.group = 2}};
	struct region_config config = {
	    .n_slots = 1,
	    .max_record = 1000,
	    .stages = stages,
	    .n_stages = 2,
	    .workers = workers,
	    .n_workers = 4,
	};
	struct region region = {0};
	assert_int_equal(region_new(&config, &region), 0);
	assert_int_equal(region_rank(&region, 0), 0);
	assert_int_equal(region_rank(&region, 1), 0);
	assert_int_equal(region_rank(&region, 2), 1);
	assert_int_equal(region_rank(&region, 3), 1);
	region_free(&region);
}

static void both_mappings_see_one_memory(void **state)
{
	(void)state;
	struct region owner = tiny_ring(4, 2);
	struct region other = {0};
	assert_int_equal(region_attach(fcntl(owner.fd, F_DUPFD_CLOEXEC, 0), &other), 0);
	assert_ptr_not_equal(owner.header, other.header);
	assert_memory_equal(owner.header, other.header, sizeof(*owner.header));
	strcpy(slot_area(&owner, 3, 1), "from the owner");
	assert_string_equal(slot_area(&other, 3, 1), "from the owner");
	slot_at(&other, 2)->state = 77;
	assert_int_equal(slot_at(&owner, 2)->state, 77);

	/* The memory goes with the last mapping. */
	region_free(&owner);
	assert_string_equal(slot_area(&other, 3, 1), "from the owner");
	int fd = other.fd;
	region_free(&other);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_null(other.header);
}

static void can_be_freed_without_having_been(void **state)
{
	(void)state;
	struct region region = {.fd = -1};
	region_free(&region);
	region = tiny_ring(1, 1);
	region_free(&region);
	region_free(&region);
	assert_int_equal(region.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lays_its_tables_one_after_another),
	    cmocka_unit_test(every_table_is_where_it_is_said_to_be),
	    cmocka_unit_test(is_known_by_its_first_bytes),
	    cmocka_unit_test(begins_empty),
	    cmocka_unit_test(costs_little_at_first),
	    cmocka_unit_test(shares_its_memory_out),
	    cmocka_unit_test(exact_batches_have_their_share),
	    cmocka_unit_test(copies_its_tables),
	    cmocka_unit_test(a_rank_counts_the_own_group),
	    cmocka_unit_test(both_mappings_see_one_memory),
	    cmocka_unit_test(can_be_freed_without_having_been),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
