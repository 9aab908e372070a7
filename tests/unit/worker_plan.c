/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CORES 4

/*
 * A chain with a letter a stage: c is in C, p a Python file, m a Python module, e a command
 * for each record.
 */
static uint32_t make_chain(const char *letters, struct stage_spec *specs)
{
	uint32_t n = 0;
	for (; letters[n]; n++) {
		specs[n] = (struct stage_spec){
		    .kind = letters[n] == 'c'	? STAGE_C
			    : letters[n] == 'e' ? STAGE_EACH
			    : letters[n] == 'p' ? STAGE_PYTHON_FILE
						: STAGE_PYTHON_MODULE,
		    .name = "name",
		    .target = "target",
		    .function = "function",
		    .object = "/object.so",
		};
	}
	return n;
}

/* hosts: a letter a process, self, leat or python. workers: the host of each. */
static const struct {
	enum leat_mode mode;
	const char *chain;
	const char *hosts;
	const char *workers;
} cases[] = {
    {LEAT_SINGLE, "c", "s", "0"},
    {LEAT_SINGLE, "ccc", "s", "0"},
    {LEAT_SINGLE, "p", "p", "0"},
    {LEAT_SINGLE, "m", "p", "0"},
    {LEAT_SINGLE, "cpc", "p", "0"},
    {LEAT_SINGLE, "ccp", "p", "0"},
    {LEAT_SINGLE, "e", "s", "0"},
    {LEAT_SINGLE, "pe", "sp", "01"},
    {LEAT_PROCESSES, "cep", "lsp", "012"},
    {LEAT_THREADS, "c", "s", "0"},
    {LEAT_THREADS, "ccc", "s", "000"},
    {LEAT_THREADS, "ppm", "p", "000"},
    {LEAT_THREADS, "cpcm", "sp", "0101"},
    {LEAT_THREADS, "pcp", "ps", "010"},
    {LEAT_PROCESSES, "c", "l", "0"},
    {LEAT_PROCESSES, "ccc", "lll", "012"},
    {LEAT_PROCESSES, "cpm", "lpp", "012"},
    {LEAT_AUTO, "ccc", "s", "000"},
    {LEAT_AUTO, "ppm", "ppp", "012"},
    {LEAT_AUTO, "cpcm", "spp", "0102"},
    {LEAT_AUTO, "pccp", "psp", "0112"},
};

static void check_hosts(const struct worker_plan *plan, const char *expected)
{
	assert_int_equal(plan->n_hosts, strlen(expected));
	for (uint32_t i = 0; i < plan->n_hosts; i++) {
		char letter = plan->hosts[i] == HOST_SELF   ? 's'
			      : plan->hosts[i] == HOST_LEAT ? 'l'
							    : 'p';
		assert_int_equal(letter, expected[i]);
	}
}

static void every_mode_has_its_workers(void **state)
{
	(void)state;
	static struct worker_plan plan;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage_spec specs[8];
		uint32_t n = make_chain(cases[i].chain, specs);
		assert_int_equal(worker_plan_ring(cases[i].mode, 0, CORES, specs, n, &plan), 0);
		assert_int_equal(plan.n_stages, n);
		check_hosts(&plan, cases[i].hosts);
		assert_int_equal(plan.n_workers, strlen(cases[i].workers));
		for (uint32_t k = 0; k < plan.n_workers; k++)
			assert_int_equal(plan.workers[k].host, cases[i].workers[k] - '0');
	}
}

/* A stage that no group of workers runs would stop the ring. */
static void every_stage_has_one_worker(void **state)
{
	(void)state;
	static struct worker_plan plan;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage_spec specs[8];
		uint32_t n = make_chain(cases[i].chain, specs);
		assert_int_equal(worker_plan_ring(cases[i].mode, 0, CORES, specs, n, &plan), 0);
		for (uint32_t k = 0; k < n; k++) {
			uint32_t group = plan.stages[k].group;
			uint32_t workers = 0;
			for (uint32_t w = 0; w < plan.n_workers; w++)
				workers += plan.workers[w].group == group;
			assert_int_equal(workers, 1);
			/* A command never shares one. */
			bool shares = cases[i].mode == LEAT_SINGLE && cases[i].chain[k] != 'e';
			bool alone = cases[i].mode == LEAT_SINGLE && !shares;
			assert_int_equal(
			    group, shares ? GROUP_WORKERS : GROUP_WORKERS + (alone ? 1 : k));
		}
	}
}

static void stages_are_described(void **state)
{
	(void)state;
	static struct worker_plan plan;
	struct stage_spec specs[8];
	uint32_t n = make_chain("cpm", specs);
	specs[1].name = "other";
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 0, CORES, specs, n, &plan), 0);
	/* Of a C stage a worker needs what it was compiled to. */
	assert_int_equal(plan.stages[0].kind, STAGE_C);
	assert_string_equal(plan.stages[0].name, "name");
	assert_string_equal(plan.stages[0].function, "function");
	assert_string_equal(plan.stages[0].target, "/object.so");
	assert_int_equal(plan.stages[1].kind, STAGE_PYTHON_FILE);
	assert_string_equal(plan.stages[1].name, "other");
	assert_string_equal(plan.stages[1].target, "target");
	assert_int_equal(plan.stages[2].kind, STAGE_PYTHON_MODULE);
	assert_string_equal(plan.stages[2].target, "target");
}

static void the_longest_chain_fits(void **state)
{
	(void)state;
	static struct worker_plan plan;
	struct stage_spec specs[REGION_STAGES_MAX];
	char letters[REGION_STAGES_MAX + 1] = "";
	memset(letters, 'p', REGION_STAGES_MAX);
	uint32_t n = make_chain(letters, specs);
	for (enum leat_mode mode = LEAT_AUTO; mode < LEAT_SHELL; mode++) {
		assert_int_equal(worker_plan_ring(mode, 0, CORES, specs, n, &plan), 0);
		assert_int_equal(plan.n_stages, REGION_STAGES_MAX);
		assert_int_equal(plan.n_workers, mode == LEAT_SINGLE ? 1 : REGION_STAGES_MAX);
		assert_true(plan.n_hosts <= REGION_STAGES_MAX);
	}
}

static void a_pool_runs_what_is_stateless(void **state)
{
	(void)state;
	static struct worker_plan plan;
	struct stage_spec specs[8];
	uint32_t n = make_chain("cccc", specs);
	specs[1].serial = true;
	specs[2].workers = 2;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 3, CORES, specs, n, &plan), 0);
	assert_int_equal(plan.n_workers, 6);
	uint32_t pool = plan.stages[0].group;
	assert_int_equal(plan.stages[3].group, pool);
	assert_int_not_equal(plan.stages[1].group, pool);
	assert_int_not_equal(plan.stages[2].group, plan.stages[1].group);
	assert_false(plan.stages[0].is_serial);
	assert_true(plan.stages[1].is_serial);
	assert_false(plan.stages[2].is_serial);
	assert_false(plan.stages[0].is_replicated);
	assert_true(plan.stages[2].is_replicated);
	/* What may be run again for want of memory is so by the user's word alone. */
	assert_true(plan.stages[0].is_stateless);
	assert_false(plan.stages[1].is_stateless);
	assert_true(plan.stages[2].is_stateless);
	/* Threads of C stages live in the run's own process. */
	assert_int_equal(plan.n_hosts, 1);
	assert_int_equal(worker_plan_ring(LEAT_PROCESSES, 3, CORES, specs, n, &plan), 0);
	assert_int_equal(plan.n_hosts, 6);
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 1, CORES, specs, n, &plan), 0);
	assert_true(plan.stages[0].is_serial && plan.stages[0].is_stateless);
	specs[2].workers = 1;
	for (enum leat_mode mode = LEAT_AUTO; mode <= LEAT_PROCESSES; mode++) {
		assert_int_equal(worker_plan_ring(mode, 0, CORES, specs, n, &plan), 0);
		for (uint32_t i = 0; i < n; i++)
			assert_false(plan.stages[i].is_stateless);
	}
}

static void where_there_is_python_the_pool_is_python(void **state)
{
	(void)state;
	static struct worker_plan plan;
	struct stage_spec specs[8];
	uint32_t n = make_chain("cp", specs);
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 2, CORES, specs, n, &plan), 0);
	check_hosts(&plan, "pp");
	assert_int_equal(worker_plan_ring(LEAT_THREADS, 2, CORES, specs, n, &plan), 0);
	check_hosts(&plan, "p");
	assert_int_equal(plan.n_workers, 2);
	specs[0].workers = PLAN_WORKERS_MAX + 1;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 2, CORES, specs, n, &plan), -E2BIG);
}

static void auto_has_a_worker_for_each_core(void **state)
{
	(void)state;
	static struct worker_plan plan;
	struct stage_spec specs[8];
	uint32_t n = make_chain("cpc", specs);
	specs[0].workers = LEAT_WORKERS_AUTO;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 0, CORES, specs, n, &plan), 0);
	assert_int_equal(worker_plan_group_size(&plan, plan.stages[0].group), CORES);
	assert_int_equal(worker_plan_group_size(&plan, plan.stages[1].group), 1);
	assert_true(plan.is_auto[plan.stages[0].group]);
	assert_false(plan.is_auto[plan.stages[1].group]);
	assert_false(plan.stages[0].is_serial);
	assert_true(plan.stages[0].is_replicated);
	/* Also where it cannot be more than one, it says that the function is stateless. */
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 0, 1, specs, n, &plan), 0);
	assert_int_equal(plan.n_workers, 3);
	assert_true(plan.stages[0].is_replicated);
	specs[0].workers = 0;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, LEAT_WORKERS_AUTO, CORES, specs, n, &plan), 0);
	assert_int_equal(plan.n_workers, CORES);
	assert_true(plan.is_auto[plan.stages[2].group]);
	assert_int_equal(worker_plan_ring(LEAT_SINGLE, 0, CORES, specs, n, &plan), 0);
	assert_false(plan.is_auto[plan.stages[0].group]);
}

/* A number that nobody has named is no reason to refuse. */
static void auto_takes_what_others_leave(void **state)
{
	(void)state;
	static struct worker_plan plan;
	struct stage_spec specs[8];
	uint32_t n = make_chain("cccc", specs);
	for (uint32_t i = 0; i < n; i++)
		specs[i].workers = LEAT_WORKERS_AUTO;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 0, 1000, specs, n, &plan), 0);
	assert_int_equal(plan.n_workers, PLAN_WORKERS_MAX);
	specs[0].workers = PLAN_WORKERS_MAX - 6;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 0, 1000, specs, n, &plan), 0);
	assert_int_equal(worker_plan_group_size(&plan, plan.stages[1].group), 2);
	specs[0].workers = PLAN_WORKERS_MAX - 2;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, 0, 1000, specs, n, &plan), -E2BIG);
}

/* Each stage serial, so that a pool has nothing to do: one group more than stages. */
static void the_most_groups_fit(void **state)
{
	(void)state;
	static struct worker_plan plan;
	struct stage_spec specs[REGION_STAGES_MAX];
	char letters[REGION_STAGES_MAX + 1] = "";
	memset(letters, 'c', REGION_STAGES_MAX);
	uint32_t n = make_chain(letters, specs);
	for (uint32_t i = 0; i < n; i++)
		specs[i].serial = true;
	assert_int_equal(worker_plan_ring(LEAT_AUTO, LEAT_WORKERS_AUTO, CORES, specs, n, &plan), 0);
	assert_int_equal(plan.n_workers, REGION_STAGES_MAX);
	assert_int_equal(plan.stages[n - 1].group, REGION_GROUPS_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_mode_has_its_workers),
	    cmocka_unit_test(every_stage_has_one_worker),
	    cmocka_unit_test(stages_are_described),
	    cmocka_unit_test(the_longest_chain_fits),
	    cmocka_unit_test(a_pool_runs_what_is_stateless),
	    cmocka_unit_test(where_there_is_python_the_pool_is_python),
	    cmocka_unit_test(auto_has_a_worker_for_each_core),
	    cmocka_unit_test(auto_takes_what_others_leave),
	    cmocka_unit_test(the_most_groups_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
