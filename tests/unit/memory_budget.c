/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_budget.h"

#include "asleep.h"
#include "claim.h"
#include "slot.h"
#include "wakeup.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MEMORY (8ull << 20)

/* A ring of four slots and a stage, of so little that everything runs out. */
static struct region ring(void)
{
	static const struct region_stage stage = {.group = GROUP_WORKERS};
	static const struct region_worker worker = {.group = GROUP_WORKERS};
	struct region_config config = {
	    .n_slots = 4,
	    .max_record = 1 << 20,
	    .memory = MEMORY,
	    .stages = &stage,
	    .n_stages = 1,
	    .workers = &worker,
	    .n_workers = 1,
	};
	struct region region = {0};
	assert_int_equal(region_new(&config, &region), 0);
	return region;
}

/* The most that an area of a young batch gets at once. */
static uint64_t take_all(const struct region *region, uint64_t seq, unsigned area)
{
	uint64_t size = region->header->area_keep;
	while (memory_budget_reserve(region, seq, area, size + 4096))
		size += 4096;
	return size;
}

static void what_is_kept_is_free(void **state)
{
	(void)state;
	struct region region = ring();
	uint64_t keep = region.header->area_keep;
	while (memory_budget_reserve_source(&region, region.header->source_buffer + 4096))
		;
	for (uint64_t seq = 0; seq < 4; seq++) {
		for (unsigned area = 0; area < 2; area++) {
			assert_int_equal(memory_budget_room(&region, seq, area), keep);
			assert_true(memory_budget_reserve(&region, seq, area, keep));
			if (seq > 0)
				assert_false(memory_budget_reserve(&region, seq, area, keep + 1));
			assert_int_equal(memory_budget_room(&region, seq, area), keep);
		}
	}
	region_free(&region);
}

static void the_young_share(void **state)
{
	(void)state;
	struct region region = ring();
	const struct region_header *header = region.header;
	assert_true(memory_budget_reserve_source(&region, 1 << 20));
	uint64_t first = take_all(&region, 1, 0) - header->area_keep;
	uint64_t second = take_all(&region, 3, 1) - header->area_keep;
	assert_int_equal(first, header->area_capacity - header->area_keep);
	assert_int_equal((1 << 20) + first + second, header->young / 4096 * 4096);
	assert_false(memory_budget_reserve_source(&region, (1 << 20) + 4096));
	assert_int_equal(header->source_buffer, 1 << 20);
	/* What one gives back another may take. */
	slot_give_back(&region, 1, 0);
	assert_int_equal(memory_budget_room(&region, 1, 0), header->area_keep);
	assert_true(memory_budget_reserve_source(&region, (1 << 20) + first));
	assert_false(memory_budget_reserve(&region, 1, 0, header->area_keep + 4096));
	assert_true(memory_budget_reserve_source(&region, 0));
	assert_true(memory_budget_reserve(&region, 1, 0, header->area_capacity));
	region_free(&region);
}

static void the_oldest_always_fits(void **state)
{
	(void)state;
	struct region region = ring();
	uint64_t capacity = region.header->area_capacity;
	take_all(&region, 1, 0);
	take_all(&region, 2, 1);
	assert_true(memory_budget_is_oldest(&region, 0));
	for (unsigned area = 0; area < 2; area++) {
		assert_true(memory_budget_reserve(&region, 0, area, capacity));
		assert_false(memory_budget_reserve(&region, 0, area, capacity + 1));
		assert_int_equal(memory_budget_room(&region, 0, area), capacity);
	}
	/* It is not the slot that is the oldest. */
	slot_trim(&region, 0);
	memory_budget_move_on(&region, 1);
	assert_false(memory_budget_is_oldest(&region, 4));
	assert_true(memory_budget_reserve(&region, 1, 0, capacity));
	assert_true(memory_budget_reserve(&region, 1, 1, capacity));
	region_free(&region);
}

/* In any order of events all charges together stay within the bound. */
static void nothing_goes_over_the_bound(void **state)
{
	(void)state;
	struct region region = ring();
	const struct region_header *header = region.header;
	unsigned seed = 7;
	uint64_t oldest = 0;
	unsigned refused = 0;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t seq = oldest + (uint64_t)rand_r(&seed) % 4;
		uint64_t size = (uint64_t)rand_r(&seed) % (header->area_capacity + 1);
		unsigned what = (unsigned)rand_r(&seed) % 10;
		if (what == 0) {
			slot_trim(&region, oldest++);
			memory_budget_move_on(&region, oldest);
		} else if (what == 1) {
			slot_give_back(&region, seq, i % 2);
		} else if (what == 2) {
			refused += !memory_budget_reserve_source(&region, size);
		} else {
			bool taken = memory_budget_reserve(&region, seq, i % 2, size);
			assert_true(taken || seq != oldest);
			assert_true(!taken || memory_budget_room(&region, seq, i % 2) >= size);
			refused += !taken;
		}
		uint64_t all = header->source_buffer;
		for (uint64_t slot = 0; slot < 4; slot++)
			all += memory_budget_room(&region, slot, 0) +
			       memory_budget_room(&region, slot, 1);
		assert_true(all <= header->memory);
	}
	assert_true(refused > 1000);
	region_free(&region);
}

static void gives_the_memory_back_with_the_claim(void **state)
{
	(void)state;
	struct region region = ring();
	struct stat info;
	uint64_t seq;
	uint64_t next = 0;
	memory_budget_move_on(&region, 0);
	for (uint64_t i = 0; i < 2; i++) {
		slot_set_output(slot_at(&region, i), 0, LEAT_RECORDS, 0, 0);
		ring_advance(&region, i, 0);
	}
	assert_true(ring_claim_any(&region, 1, 0, &next, &seq) && seq == 0);
	assert_true(ring_claim_any(&region, 1, 0, &next, &seq) && seq == 1);
	assert_true(memory_budget_reserve(&region, 1, 1, 1 << 20));
	memset(slot_area(&region, 1, 1), 'x', 1 << 20);
	ring_give_back(&region, 1, 1, 0);
	assert_int_equal(fstat(region.fd, &info), 0);
	assert_true(info.st_blocks * 512 < 1 << 20);
	assert_int_equal(memory_budget_room(&region, 1, 1), region.header->area_keep);
	/* It waits for its turn, whoever asks, and is like any other from then on. */
	assert_false(ring_claim_any(&region, 1, 0, &next, &seq));
	assert_int_equal(ring_commit(&region, 0, 1, 0), 0);
	assert_false(ring_claim(&region, 1, 0, &next, &seq));
	memory_budget_move_on(&region, 1);
	assert_true(ring_claim_any(&region, 1, 0, &next, &seq) && seq == 1);
	slot_set_output(slot_at(&region, 1), 1, LEAT_RECORDS, 0, 0);
	assert_int_equal(slot_at(&region, 1)->waits_for_oldest, 0);
	region_free(&region);
}

struct waiter {
	struct region *region;
	uint32_t tid;
	bool got;
};

static void *wait_for_the_turn(void *argument)
{
	struct waiter *waiter = argument;
	uint32_t *word = region_wait_word(waiter->region, GROUP_WORKERS);
	__atomic_store_n(&waiter->tid, (uint32_t)gettid(), __ATOMIC_RELEASE);
	for (;;) {
		uint32_t key = wakeup_prepare(word);
		if (memory_budget_await(waiter->region, 2))
			break;
		wakeup_sleep(word, key);
	}
	waiter->got = true;
	return NULL;
}

/* pairs with: wait_for_the_turn: the number is there */
static pid_t waiter_id(struct waiter *waiter)
{
	uint32_t id;
	while ((id = __atomic_load_n(&waiter->tid, __ATOMIC_ACQUIRE)) == 0)
		sched_yield();
	return (pid_t)id;
}

static void who_waits_to_be_the_oldest_is_woken(void **state)
{
	(void)state;
	struct region region = ring();
	struct waiter waiter = {.region = &region};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, wait_for_the_turn, &waiter), 0);
	asleep_await(waiter_id(&waiter));
	assert_int_equal(__atomic_load_n(&region.header->awaited, __ATOMIC_SEQ_CST), 1);
	memory_budget_move_on(&region, 1);
	/* Another's turn: it looks, and asks again. */
	while (!__atomic_load_n(&region.header->awaited, __ATOMIC_SEQ_CST))
		sched_yield();
	asleep_await(waiter_id(&waiter));
	memory_budget_move_on(&region, 2);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(waiter.got);
	/* Nobody is woken for nothing. */
	uint32_t word = *region_wait_word(&region, GROUP_WORKERS);
	memory_budget_move_on(&region, 3);
	assert_int_equal(*region_wait_word(&region, GROUP_WORKERS), word);
	region_free(&region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_kept_is_free),
	    cmocka_unit_test(the_young_share),
	    cmocka_unit_test(the_oldest_always_fits),
	    cmocka_unit_test(nothing_goes_over_the_bound),
	    cmocka_unit_test(gives_the_memory_back_with_the_claim),
	    cmocka_unit_test(who_waits_to_be_the_oldest_is_woken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
