/* SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

#include "frame.h"
#include "tiny_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEPT (512 << 10)

/* Puts records, joined by '|' in the text, where a position reads them. */
static struct slot *put(struct region *region, uint64_t seq, unsigned position, const char *text)
{
	enum leat_frame frame = (enum leat_frame)region->header->frame;
	char *area = slot_area(region, seq, slot_input(position));
	char *at = area;
	uint32_t n = 0;
	for (const char *record = text; record; n++) {
		const char *bar = strchr(record, '|');
		size_t size = bar ? (size_t)(bar - record) : strlen(record);
		at = frame_put(frame, at, record, size);
		record = bar ? bar + 1 : NULL;
	}
	struct slot *slot = slot_at(region, seq);
	slot_set_output(slot, slot_input(position), LEAT_RECORDS, (uint64_t)(at - area), n);
	return slot;
}

static void areas_swap_at_every_position(void **state)
{
	(void)state;
	for (unsigned position = 1; position <= REGION_STAGES_MAX + 1; position++) {
		assert_int_equal(slot_input(position), slot_output(position - 1));
		assert_int_equal(slot_input(position), 1 - slot_output(position));
	}
	assert_int_equal(slot_output(0), 0);
}

static void every_slot_has_its_own_memory(void **state)
{
	(void)state;
	struct region region = tiny_ring(4, 2);
	uint64_t capacity = region.header->area_capacity;
	for (uint64_t seq = 0; seq < 4; seq++) {
		assert_ptr_equal(slot_at(&region, seq), slot_at(&region, seq + 4));
		assert_ptr_equal(slot_at(&region, seq), slot_at(&region, seq + (4ull << 40)));
		for (unsigned area = 0; area < 2; area++) {
			char *here = slot_area(&region, seq, area);
			assert_ptr_equal(here, slot_area(&region, seq + 4, area));
			assert_ptr_equal(
			    here, slot_area(&region, 0, 0) + (2 * seq + area) * capacity);
		}
	}
	assert_ptr_equal(
	    slot_area(&region, 3, 1) + capacity, (char *)region.header + region.header->size);
	region_free(&region);
}

static void notes_the_most_that_was_written(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 1);
	struct slot *slot = slot_at(&region, 0);
	slot_set_output(slot, 1, LEAT_RECORDS, 500, 3);
	slot_set_output(slot, 1, LEAT_RECORDS, 200, 2);
	slot_set_output(slot, 0, LEAT_RECORDS, 100, 1);
	assert_int_equal(slot->size[1], 200);
	assert_int_equal(slot->n_records[1], 2);
	assert_int_equal(slot->high[1], 500);
	assert_int_equal(slot->size[0], 100);
	assert_int_equal(slot->high[0], 100);
	region_free(&region);
}

static void cuts_at_the_record_that_failed(void **state)
{
	(void)state;
	static const char *const shown[] = {"\"one\"", "\"\"", "\"t\\tee\"", "\"four\""};
	for (enum leat_frame frame = LEAT_NEWLINE; frame <= LEAT_U32; frame++) {
		struct region region = tiny_ring(2, 3);
		region.header->frame = frame;
		for (unsigned position = 1; position <= 3; position++) {
			for (uint32_t index = 0; index < 4; index++) {
				struct slot *slot = put(&region, 5, position, "one||t\tee|four");
				slot_clear_failure(slot);
				slot_cut(&region, 5, position, index, "ValueError: odd");
				assert_true(slot_failed(slot));
				assert_int_equal(slot->failure.stage, position - 1);
				assert_int_equal(slot->failure.index, index);
				assert_string_equal(slot->failure.why, "ValueError: odd");
				assert_string_equal(slot->failure.record, shown[index]);
				assert_false(slot_failed(slot_at(&region, 4)));
			}
		}
		region_free(&region);
	}
}

/* A worker in another process may say anything. */
static void a_record_that_is_not_there_is_not_shown(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 1);
	struct slot *slot = put(&region, 0, 1, "one|two");
	slot_cut(&region, 0, 1, 1, "first");
	assert_string_equal(slot->failure.record, "\"two\"");
	slot_cut(&region, 0, 1, 2, "second");
	assert_string_equal(slot->failure.why, "second");
	assert_string_equal(slot->failure.record, "");
	slot_cut(&region, 0, 1, UINT32_MAX, "third");
	assert_string_equal(slot->failure.record, "");
	region_free(&region);
}

static void a_long_reason_ends_between_characters(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 1);
	struct slot *slot = put(&region, 0, 1, "one");
	size_t capacity = sizeof(slot->failure.why);
	char why[2000];
	for (size_t shift = 0; shift < 3; shift++) {
		memset(why, 'x', sizeof(why));
		/* The euro sign, three bytes, lies across the end. */
		memcpy(why + capacity - 3 + shift, "\xe2\x82\xac", 3);
		why[sizeof(why) - 1] = '\0';
		slot_cut(&region, 0, 1, 0, why);
		size_t size = strlen(slot->failure.why);
		assert_int_equal(size, shift == 2 ? capacity - 1 : capacity - 3 + shift);
		assert_memory_equal(slot->failure.why, why, size);
	}
	region_free(&region);
}

static void the_source_can_fail_too(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 2);
	struct slot *slot = put(&region, 0, 1, "one");
	slot_cut(&region, 0, 1, 0, "before");
	slot_fail_source(slot, "cannot be read");
	assert_true(slot_failed(slot));
	assert_int_equal(slot->failure.stage, SLOT_SOURCE_FAILED);
	assert_string_equal(slot->failure.why, "cannot be read");
	assert_string_equal(slot->failure.record, "");
	slot_clear_failure(slot);
	assert_false(slot_failed(slot));
	region_free(&region);
}

/* What the stages before the failing one took and gave, and what is known of it. */
static void knows_which_records_it_may_have_been(void **state)
{
	(void)state;
	static const struct {
		unsigned position;
		uint32_t index;
		uint32_t in[2];
		uint32_t out[2];
		uint64_t first;
		uint64_t last;
	} cases[] = {
	    /* Nothing before it, or one for one. */
	    {1, 0, {10, 0}, {0, 0}, 101, 101},
	    {1, 9, {10, 0}, {9, 0}, 110, 110},
	    {2, 4, {10, 10}, {10, 4}, 105, 105},
	    {3, 0, {10, 10}, {10, 10}, 101, 101},
	    {3, 9, {10, 10}, {10, 10}, 110, 110},
	    /* One dropped records or gave several. */
	    {2, 4, {10, 7}, {7, 4}, 101, 110},
	    {3, 4, {10, 10}, {10, 30}, 101, 110},
	    {3, 4, {10, 7}, {7, 7}, 101, 110},
	    /* What the failing stage and those behind it gave says nothing. */
	    {1, 2, {10, 2}, {2, 1}, 103, 103},
	};
	struct region region = tiny_ring(1, 3);
	struct slot *slot = slot_at(&region, 0);
	slot->first_record = 101;
	slot->n_source_records = 10;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned k = 0; k < 2; k++) {
			slot->history[k].records_in = cases[i].in[k];
			slot->history[k].records_out = cases[i].out[k];
		}
		slot_cut(&region, 0, cases[i].position, cases[i].index, "why");
		uint64_t first = 0;
		uint64_t last = 0;
		slot_failed_records(slot, &first, &last);
		assert_int_equal(first, cases[i].first);
		assert_int_equal(last, cases[i].last);
	}
	region_free(&region);
}

/* Three numbers as an array, as neighbours of one machine type hand them on. */
static struct slot *put_numbers(struct region *region, unsigned position)
{
	static const int64_t numbers[] = {12, -345, 6};
	memcpy(slot_area(region, 0, slot_input(position)), numbers, sizeof(numbers));
	struct slot *slot = slot_at(region, 0);
	slot_set_output(slot, slot_input(position), LEAT_I64, sizeof(numbers), 3);
	return slot;
}

static void shows_a_number_of_an_array(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 2);
	struct slot *slot = put_numbers(&region, 2);
	slot_cut(&region, 0, 2, 1, "odd");
	assert_string_equal(slot->failure.record, "\"-345\"");
	slot_cut(&region, 0, 2, 3, "odd");
	assert_string_equal(slot->failure.record, "");
	region_free(&region);
}

/* Only what comes before a record that kills is run again. */
static void shortens_what_is_run_again(void **state)
{
	(void)state;
	for (enum leat_frame frame = LEAT_NEWLINE; frame <= LEAT_U32; frame++) {
		struct region region = tiny_ring(1, 2);
		region.header->frame = frame;
		struct slot *slot = put(&region, 0, 2, "one||three|four");
		uint64_t whole = slot->size[1];
		slot_shorten_input(&region, 0, 2, 4);
		assert_int_equal(slot->size[1], whole);
		slot_shorten_input(&region, 0, 2, 9);
		assert_int_equal(slot->n_records[1], 4);
		slot_shorten_input(&region, 0, 2, 2);
		assert_int_equal(slot->n_records[1], 2);
		assert_int_equal(slot->size[1], frame_size(frame, 3) + frame_size(frame, 0));
		slot_shorten_input(&region, 0, 2, 0);
		assert_int_equal(slot->n_records[1], 0);
		assert_int_equal(slot->size[1], 0);
		/* What was once written must still be given back. */
		assert_int_equal(slot->high[1], whole);
		slot = put_numbers(&region, 1);
		slot_shorten_input(&region, 0, 1, 2);
		assert_int_equal(slot->n_records[0], 2);
		assert_int_equal(slot->size[0], 2 * sizeof(int64_t));
		region_free(&region);
	}
}

static void tells_a_failure(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 3);
	struct slot *slot = put(&region, 0, 2, "one|two|three");
	char text[1024];
	char small[20];
	slot->first_record = 101;
	slot->n_source_records = 3;
	slot->history[0].records_in = 3;
	slot->history[0].records_out = 3;
	slot_cut(&region, 0, 2, 1, "x.py:3: ValueError: odd");
	slot_describe_failure(&region, slot, text, sizeof(text));
	assert_string_equal(text, "stage 'b': x.py:3: ValueError: odd, record 102: \"two\"");
	slot->history[0].records_in = 4;
	slot_describe_failure(&region, slot, text, sizeof(text));
	assert_string_equal(
	    text, "stage 'b': x.py:3: ValueError: odd, one of records 101 to 103: \"two\"");
	slot_cut(&region, 0, 1, 7, "why");
	slot_describe_failure(&region, slot, text, sizeof(text));
	assert_string_equal(text, "stage 'a': why, record 108");
	slot_cut(&region, 0, 1, 7, "12345 \xe2\x82\xac");
	slot_describe_failure(&region, slot, small, sizeof(small));
	assert_string_equal(small, "stage 'a': 12345 ");
	slot_cut(&region, 0, 1, 0, "died");
	slot_set_last_stderr(slot, "a | b");
	slot_describe_failure(&region, slot, text, sizeof(text));
	assert_string_equal(text, "stage 'a': died, record 101; its last lines on stderr: a | b");
	slot_cut(&region, 0, 1, 0, "why");
	slot_describe_failure(&region, slot, text, sizeof(text));
	assert_string_equal(text, "stage 'a': why, record 101");
	region_free(&region);
}

/* A stage may have written anything over the slots. */
static void checks_what_a_slot_says(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 2);
	struct slot *slot = put_numbers(&region, 1);
	uint64_t capacity = region.header->area_capacity;
	slot->n_records[0] = UINT32_MAX;
	assert_int_equal(slot_batch(&region, 0, 0).n_records, 3);
	slot->size[0] = UINT64_MAX;
	assert_int_equal(slot_batch(&region, 0, 0).size, capacity);
	assert_int_equal(slot_batch(&region, 0, 0).n_records, capacity / sizeof(int64_t));
	char text[1024];
	memset(&slot->failure, 'x', sizeof(slot->failure));
	slot_describe_failure(&region, slot, text, sizeof(text));
	assert_string_equal(text, "a stage has written over the ring's own memory");
	slot->failure.stage = 1;
	slot_describe_failure(&region, slot, text, sizeof(text));
	assert_memory_equal(text, "stage 'b': xxx", 14);
	region_free(&region);
}

static int64_t memory(const struct region *region)
{
	struct stat info;
	assert_int_equal(fstat(region->fd, &info), 0);
	return info.st_blocks * 512;
}

static void fill(struct region *region, uint64_t seq, unsigned area, size_t size)
{
	memset(slot_area(region, seq, area), 'x', size);
	slot_set_output(slot_at(region, seq), area, LEAT_RECORDS, size, 1);
}

static void gives_large_areas_back(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 1);
	int64_t before = memory(&region);
	fill(&region, 0, 1, 100);
	fill(&region, 1, 0, 3 << 20);
	fill(&region, 1, 1, 100);
	/* What is given back is what was ever written, not what is there now. */
	slot_set_output(slot_at(&region, 1), 0, LEAT_RECORDS, 10, 1);
	assert_true(memory(&region) >= before + (3 << 20));
	slot_trim(&region, 1);
	assert_true(memory(&region) <= before + 3 * 4096);
	assert_int_equal(slot_at(&region, 1)->high[0], 0);
	assert_int_equal(slot_area(&region, 1, 0)[0], 0);
	assert_int_equal(slot_area(&region, 1, 0)[(3 << 20) - 1], 0);
	/* The neighbours keep theirs. */
	assert_int_equal(slot_area(&region, 0, 1)[99], 'x');
	assert_int_equal(slot_area(&region, 1, 1)[99], 'x');
	assert_int_equal(slot_at(&region, 1)->high[1], 100);
	/* It can be used again. */
	fill(&region, 1, 0, 1 << 20);
	assert_int_equal(slot_area(&region, 1, 0)[(1 << 20) - 1], 'x');
	region_free(&region);
}

static void keeps_small_areas(void **state)
{
	(void)state;
	struct region region = tiny_ring(1, 1);
	fill(&region, 0, 0, KEPT);
	fill(&region, 0, 1, KEPT + 1);
	slot_trim(&region, 0);
	assert_int_equal(slot_area(&region, 0, 0)[KEPT - 1], 'x');
	assert_int_equal(slot_at(&region, 0)->high[0], KEPT);
	assert_int_equal(slot_area(&region, 0, 1)[0], 0);
	region_free(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(areas_swap_at_every_position),
	    cmocka_unit_test(every_slot_has_its_own_memory),
	    cmocka_unit_test(notes_the_most_that_was_written),
	    cmocka_unit_test(cuts_at_the_record_that_failed),
	    cmocka_unit_test(a_record_that_is_not_there_is_not_shown),
	    cmocka_unit_test(a_long_reason_ends_between_characters),
	    cmocka_unit_test(the_source_can_fail_too),
	    cmocka_unit_test(knows_which_records_it_may_have_been),
	    cmocka_unit_test(shows_a_number_of_an_array),
	    cmocka_unit_test(shortens_what_is_run_again),
	    cmocka_unit_test(tells_a_failure),
	    cmocka_unit_test(checks_what_a_slot_says),
	    cmocka_unit_test(gives_large_areas_back),
	    cmocka_unit_test(keeps_small_areas),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
