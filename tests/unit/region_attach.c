/* SPDX-License-Identifier: Apache-2.0 */
/* What a process refuses to map: no region, one cut off, one with an insane header. */
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

/* A refused descriptor stays its caller's, and no mapping is left. */
static void assert_refused(int fd)
{
	struct region region = {.fd = 77};
	assert_int_equal(region_attach(fd, &region), -EPROTO);
	assert_int_equal(region.fd, 77);
	assert_null(region.header);
	assert_true(fcntl(fd, F_GETFD) >= 0);
}

static void refuses_what_is_no_region(void **state)
{
	(void)state;
	struct region region = {0};
	assert_int_equal(region_attach(-1, &region), -EBADF);
	int fd = memfd_create("empty", MFD_CLOEXEC);
	assert_refused(fd);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_refused(fd);
	char garbage[4096];
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(i * 37 + 11);
	assert_int_equal(pwrite(fd, garbage, sizeof(garbage), 0), sizeof(garbage));
	assert_refused(fd);
	close(fd);
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_refused(ends[0]);
	close(ends[0]);
	close(ends[1]);
}

static void refuses_another_size(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 2);
	off_t size = file_size(region.fd);
	int fd = fcntl(region.fd, F_DUPFD_CLOEXEC, 0);
	/* A mapping of what is cut off must not be touched. */
	munmap(region.header, (size_t)size);
	fd_close(region.fd);
	static const off_t cuts[] = {1, 4096, 1 << 20};
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		assert_int_equal(ftruncate(fd, size - cuts[i]), 0);
		assert_refused(fd);
	}
	assert_int_equal(ftruncate(fd, sizeof(struct region_header) - 1), 0);
	assert_refused(fd);
	assert_int_equal(ftruncate(fd, size + 4096), 0);
	assert_refused(fd);
	close(fd);
}

#define FIELD(name) offsetof(struct region_header, name), sizeof(((struct region_header *)0)->name)

static void refuses_insane_headers(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t offset;
		size_t size;
		uint64_t value;
	} cases[] = {
	    {"magic", FIELD(magic), 0x7461656b},
	    {"version", FIELD(version), 5},
	    {"version", FIELD(version), 0},
	    {"size", FIELD(size), 4096},
	    {"no slots", FIELD(n_slots), 0},
	    {"slots, no power of two", FIELD(n_slots), 3},
	    {"twice the slots", FIELD(n_slots), 8},
	    {"too many slots", FIELD(n_slots), 0x80000000},
	    {"more stages", FIELD(n_stages), 4},
	    {"too many stages", FIELD(n_stages), UINT32_MAX},
	    {"more workers", FIELD(n_workers), 40},
	    {"too many workers", FIELD(n_workers), UINT32_MAX},
	    {"no groups", FIELD(n_groups), 0},
	    {"more groups", FIELD(n_groups), 60},
	    {"too many groups", FIELD(n_groups), UINT32_MAX},
	    {"frame", FIELD(frame), LEAT_U32 + 1},
	    {"no stride", FIELD(slot_stride), 0},
	    {"wide stride", FIELD(slot_stride), 1 << 30},
	    {"much memory", FIELD(memory), UINT64_MAX / 2},
	    {"little memory", FIELD(memory), 4096},
	    {"much kept", FIELD(area_keep), 1 << 30},
	    {"much for the young", FIELD(young), UINT64_MAX},
	    {"small area", FIELD(area_capacity), 4096},
	    {"large area", FIELD(area_capacity), UINT64_MAX},
	    {"waits", FIELD(waits_offset), UINT64_MAX},
	    {"stages", FIELD(stages_offset), 1ull << 40},
	    {"workers", FIELD(workers_offset), 1ull << 40},
	    {"slots", FIELD(slots_offset), 1ull << 40},
	    {"slots in the header", FIELD(slots_offset), 0},
	    {"areas", FIELD(areas_offset), 1ull << 40},
	    {"areas over the slots", FIELD(areas_offset), 0},
	};
	struct region region = tiny_ring(4, 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *field = (char *)region.header + cases[i].offset;
		char before[8];
		memcpy(before, field, cases[i].size);
		memcpy(field, &cases[i].value, cases[i].size);
		struct region other = {0};
		int r = region_attach(region.fd, &other);
		memcpy(field, before, cases[i].size);
		if (r != -EPROTO)
			fail_msg("%s: accepted", cases[i].name);
	}
	region_free(&region);
}

/* With three slots everything fits together, but a batch's number does not give its slot. */
static void refuses_a_number_of_slots_that_is_no_power(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 1);
	struct region_header header = *region.header;
	header.n_slots = 3;
	header.areas_offset = (header.slots_offset + 3ull * header.slot_stride + 4095) & ~4095ull;
	header.size = header.areas_offset + 6 * header.area_capacity;
	int fd = memfd_create("three", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)header.size), 0);
	assert_int_equal(pwrite(fd, region.header, header.slots_offset, 0), header.slots_offset);
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	assert_refused(fd);
	close(fd);
	region_free(&region);
}

/* Overflowing products must not make an insane header look consistent. */
static void refuses_what_overflows(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 1);
	struct region_header *header = region.header;
	for (int shift = 20; shift < 64; shift++) {
		struct region_header sane = *header;
		header->memory = 1ull << shift;
		header->area_capacity = header->memory / 4;
		header->young = sane.young - sane.memory + header->memory +
				2 * (sane.area_capacity - header->area_capacity);
		struct region other = {0};
		int r = region_attach(region.fd, &other);
		*header = sane;
		if (r != -EPROTO && 1ull << shift != sane.memory)
			fail_msg("memory of 1 << %d: accepted", shift);
		/* Accepted, it took the descriptor: only its mapping is let go here. */
		if (r == 0)
			munmap(other.header, header->size);
	}
	region_free(&region);
}

static void refuses_insane_tables(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 2);
	struct region_stage *stage = region_stage(&region, 1);
	struct region_worker *worker = region_worker(&region, 1);
	struct region_stage sane = *stage;
	stage->group = region.header->n_groups;
	assert_refused(region.fd);
	stage->group = GROUP_SINK;
	assert_refused(region.fd);
	*stage = sane;
	memset(stage->name, 'x', sizeof(stage->name));
	assert_refused(region.fd);
	*stage = sane;
	memset(stage->function, 'x', sizeof(stage->function));
	assert_refused(region.fd);
	*stage = sane;
	memset(stage->target, 'x', sizeof(stage->target));
	assert_refused(region.fd);
	*stage = sane;
	worker->group = region.header->n_groups;
	assert_refused(region.fd);
	worker->group = sane.group;
	struct region other = {0};
	assert_int_equal(region_attach(fcntl(region.fd, F_DUPFD_CLOEXEC, 0), &other), 0);
	region_free(&other);
	region_free(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_is_no_region),
	    cmocka_unit_test(refuses_another_size),
	    cmocka_unit_test(refuses_insane_headers),
	    cmocka_unit_test(refuses_a_number_of_slots_that_is_no_power),
	    cmocka_unit_test(refuses_what_overflows),
	    cmocka_unit_test(refuses_insane_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
