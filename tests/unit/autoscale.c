/* SPDX-License-Identifier: Apache-2.0 */
#include "autoscale.h"

#include "claim.h"
#include "clock.h"
#include "fd.h"
#include "tiny_ring.h"
#include "worker_limit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS	  1e6
#define MS_NS	  (1000 * 1000ull)
#define FIRST	  GROUP_WORKERS
#define SECOND	  (GROUP_WORKERS + 1)
#define MANY	  100
#define THREAD_NS (20 * MS_NS)
#define LOWER_NS  (1000 * MS_NS)

/* A chain of two stages, the second with `auto`, of these times in milliseconds a record. */
static struct autoscale chain(
    double wall_ms, double cpu_ms, double auto_wall_ms, double auto_cpu_ms, unsigned cores)
{
	struct autoscale balance = {.cores = cores, .n_stages = 2, .n_groups = SECOND + 1};
	balance.stages[0] = (struct autoscale_stage){
	    .group = FIRST, .wall_ns = wall_ms * MS, .cpu_ns = cpu_ms * MS};
	balance.stages[1] = (struct autoscale_stage){
	    .group = SECOND, .wall_ns = auto_wall_ms * MS, .cpu_ns = auto_cpu_ms * MS};
	balance.groups[FIRST] = (struct autoscale_group){.most = 1, .limit = 1};
	balance.groups[SECOND] =
	    (struct autoscale_group){.is_auto = true, .most = cores, .limit = 1};
	return balance;
}

static void assert_needs(struct autoscale balance, uint32_t expected)
{
	double capacity = autoscale_capacity(&balance);
	assert_int_equal(autoscale_need(&balance, SECOND, capacity), expected);
}

static void a_stage_needs_as_many_as_keep_up_with_the_one_before(void **state)
{
	(void)state;
	/* The first stage gives a record each 10 ms. */
	assert_needs(chain(10, 10, 1, 1, 8), 1);
	assert_needs(chain(10, 10, 10, 10, 8), 1);
	assert_needs(chain(10, 10, 25, 25, 8), 3);
	assert_needs(chain(10, 10, 1000, 0, 8), 8);
	/* A bit more than three would do is no fourth worker. */
	assert_needs(chain(10, 10, 30.9, 30.9, 8), 3);
	assert_needs(chain(10, 10, 33, 33, 8), 4);
}

static void the_cores_bound_what_a_chain_can_reach(void **state)
{
	(void)state;
	/* 2 cores and 10 + 30 ms: a record each 20 ms, of which the second stage has 30. */
	assert_needs(chain(10, 10, 30, 30, 2), 2);
	assert_needs(chain(10, 10, 30, 30, 4), 3);
	/* Who waits leaves its core to others. */
	assert_needs(chain(0.1, 0.1, 30, 0.1, 2), 2);
	assert_needs(chain(0.1, 0.1, 30, 0.1, 16), 16);
}

static void a_serial_stage_bounds_it_too(void **state)
{
	(void)state;
	struct autoscale balance = chain(1, 1, 10, 10, 8);
	assert_needs(balance, 8);
	balance.stages[1].is_alone = true;
	assert_needs(balance, 1);
	/* As one of a pool, whose other stage takes the rest of the time. */
	balance.stages[0].group = SECOND;
	balance.stages[0].wall_ns = 20 * MS;
	balance.stages[0].cpu_ns = 20 * MS;
	assert_needs(balance, 3);
}

static void a_locked_stage_has_one_core(void **state)
{
	(void)state;
	struct autoscale balance = chain(0, 0, 10, 10, 8);
	assert_needs(balance, 8);
	balance.stages[1].is_locked = true;
	assert_needs(balance, 1);
	/* Three that wait for the lock in turn are no reason for more. */
	balance.groups[SECOND].limit = 3;
	balance.stages[1].wall_ns = 30 * MS;
	assert_needs(balance, 1);
	/* Sleep needs no lock. */
	balance.stages[1].cpu_ns = 0.1 * MS;
	assert_needs(balance, 8);
}

static void nothing_measured_bounds_nothing(void **state)
{
	(void)state;
	struct autoscale balance = chain(0, 0, 0, 0, 8);
	assert_true(isinf(autoscale_capacity(&balance)));
	assert_int_equal(autoscale_need(&balance, SECOND, 0), 1);
}

static void one_that_is_behind_gets_more_at_once(void **state)
{
	(void)state;
	struct autoscale_group group = {.is_auto = true, .most = 8, .limit = 1};
	assert_int_equal(autoscale_step(&group, 3, THREAD_NS, MS_NS), 3);
	assert_int_equal(autoscale_step(&group, 5, 100 * THREAD_NS, 2 * MS_NS), 5);
}

static void a_small_backlog_must_last(void **state)
{
	(void)state;
	struct autoscale_group group = {.is_auto = true, .most = 8, .limit = 1};
	uint64_t now = MS_NS;
	assert_int_equal(autoscale_step(&group, 3, 1, now), 1);
	/* It went away and came again. */
	assert_int_equal(autoscale_step(&group, 3, 0, now + THREAD_NS / 2), 1);
	assert_int_equal(autoscale_step(&group, 3, 1, now + THREAD_NS), 1);
	assert_int_equal(autoscale_step(&group, 3, 1, now + 2 * THREAD_NS - 1), 1);
	assert_int_equal(autoscale_step(&group, 3, 1, now + 2 * THREAD_NS), 3);
}

/* To start a process for less would cost more than it gives. */
static void a_process_must_be_worth_more(void **state)
{
	(void)state;
	struct autoscale_group group = {
	    .is_auto = true, .needs_process = true, .most = 8, .limit = 1};
	assert_int_equal(autoscale_step(&group, 3, THREAD_NS, MS_NS), 1);
	assert_int_equal(autoscale_step(&group, 3, 5 * THREAD_NS, 2 * MS_NS), 3);
}

static void one_that_is_not_behind_gets_no_more(void **state)
{
	(void)state;
	struct autoscale_group group = {.is_auto = true, .most = 8, .limit = 2};
	for (uint64_t i = 1; i < MANY; i++)
		assert_int_equal(autoscale_step(&group, 3, 0, i * LOWER_NS), 2);
}

static void fewer_must_have_been_enough_for_a_while(void **state)
{
	(void)state;
	struct autoscale_group group = {.is_auto = true, .most = 8, .limit = 4};
	uint64_t now = MS_NS;
	assert_int_equal(autoscale_step(&group, 1, 0, now), 4);
	assert_int_equal(autoscale_step(&group, 2, 0, now + LOWER_NS / 2), 4);
	assert_int_equal(autoscale_step(&group, 1, 0, now + LOWER_NS - 1), 4);
	/* As many as were needed at the most. */
	assert_int_equal(autoscale_step(&group, 1, 0, now + LOWER_NS), 2);
	/* It begins anew, and when all are needed in between as well. */
	now += LOWER_NS;
	assert_int_equal(autoscale_step(&group, 1, 0, now + 1), 2);
	assert_int_equal(autoscale_step(&group, 2, 0, now + LOWER_NS - 1), 2);
	assert_int_equal(autoscale_step(&group, 1, 0, now + LOWER_NS + 1), 2);
	assert_int_equal(autoscale_step(&group, 1, 0, now + 2 * LOWER_NS + 1), 1);
}

/* A ring of two stages whose second has `auto`, and 4 workers. */
struct fixture {
	struct worker_plan plan;
	struct region region;
	struct autoscale balance;
	int bell;
	uint64_t seq;
};

static void fixture_open(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->region = tiny_ring(4, 2);
	fixture->bell = fd_bell();
	fixture->plan.n_stages = 2;
	fixture->plan.n_workers = 5;
	for (uint32_t i = 0; i < 2; i++)
		fixture->plan.stages[i].group = GROUP_WORKERS + i;
	for (uint32_t i = 0; i < fixture->plan.n_workers; i++)
		fixture->plan.workers[i].group = i == 0 ? FIRST : SECOND;
	fixture->plan.is_auto[SECOND] = true;
	worker_limit_set(&fixture->region, SECOND, 1);
	assert_true(autoscale_is_due(&fixture->plan));
}

static void fixture_close(struct fixture *fixture)
{
	fd_close(fixture->bell);
	region_free(&fixture->region);
}

/* Retires a batch of one record, in which the second stage slept, after so long. */
static void retire_after(struct fixture *fixture, uint64_t ns, uint64_t slept_ns)
{
	struct slot *slot = slot_at(&fixture->region, fixture->seq);
	slot->n_source_records = 1;
	slot->first_record = ++fixture->seq;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t wall_ns = i == 0 ? MS_NS : slept_ns;
		slot->history[i] = (struct slot_history){
		    .start_ns = MS_NS, .end_ns = MS_NS + wall_ns, .records_in = 1};
	}
	fixture->balance.looked_ns = clock_wall_ns() - ns;
	autoscale_retire(&fixture->balance, &fixture->region, slot);
}

static bool bell_rings(int bell)
{
	uint64_t value;
	return read(bell, &value, sizeof(value)) == sizeof(value);
}

static void batches_that_wait_for_a_slow_stage_bring_in_more(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_open(&fixture);
	autoscale_init(&fixture.balance, &fixture.plan, 4, clock_wall_ns(), fixture.bell, NULL);
	/* Nothing waits. */
	retire_after(&fixture, 100 * MS_NS, 100 * MS_NS);
	assert_int_equal(worker_limit_of(&fixture.region, SECOND), 1);
	assert_false(bell_rings(fixture.bell));
	for (uint64_t seq = 0; seq < 3; seq++) {
		ring_advance(&fixture.region, seq, 0);
		ring_advance(&fixture.region, seq, 1);
	}
	retire_after(&fixture, 100 * MS_NS, 100 * MS_NS);
	assert_int_equal(worker_limit_of(&fixture.region, SECOND), 4);
	assert_int_equal(worker_limit_of(&fixture.region, FIRST), UINT32_MAX);
	assert_true(bell_rings(fixture.bell));
	fixture_close(&fixture);
}

/* What is over in a moment is not worth a look, nor another worker. */
static void batches_that_wait_for_a_fast_stage_do_not(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_open(&fixture);
	autoscale_init(&fixture.balance, &fixture.plan, 4, clock_wall_ns(), fixture.bell, NULL);
	for (uint64_t seq = 0; seq < 3; seq++) {
		ring_advance(&fixture.region, seq, 0);
		ring_advance(&fixture.region, seq, 1);
	}
	for (unsigned i = 0; i < MANY; i++)
		retire_after(&fixture, 0, 1000);
	assert_int_equal(fixture.balance.n_records, MANY);
	retire_after(&fixture, 100 * MS_NS, 1000);
	assert_int_equal(fixture.balance.n_records, 0);
	assert_int_equal(worker_limit_of(&fixture.region, SECOND), 1);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stage_needs_as_many_as_keep_up_with_the_one_before),
	    cmocka_unit_test(the_cores_bound_what_a_chain_can_reach),
	    cmocka_unit_test(a_serial_stage_bounds_it_too),
	    cmocka_unit_test(a_locked_stage_has_one_core),
	    cmocka_unit_test(nothing_measured_bounds_nothing),
	    cmocka_unit_test(one_that_is_behind_gets_more_at_once),
	    cmocka_unit_test(a_small_backlog_must_last),
	    cmocka_unit_test(a_process_must_be_worth_more),
	    cmocka_unit_test(one_that_is_not_behind_gets_no_more),
	    cmocka_unit_test(fewer_must_have_been_enough_for_a_while),
	    cmocka_unit_test(batches_that_wait_for_a_slow_stage_bring_in_more),
	    cmocka_unit_test(batches_that_wait_for_a_fast_stage_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
