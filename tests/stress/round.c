/* SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include "atomic.h"
#include "content.h"
#include "random.h"
#include "slot.h"
#include "slot_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void round_print(const struct round *round)
{
	const struct region_header *header = round->region.header;
	fprintf(stderr, "  %u stages in groups", round->n_stages);
	for (uint32_t i = 0; i < round->n_stages; i++)
		fprintf(stderr, " %u", round->groups[i]);
	fprintf(stderr, ", stateless");
	for (uint32_t i = 0; i < round->n_stages; i++)
		fprintf(stderr, " %u", round->stateless[i]);
	fprintf(stderr, ", %u workers, %u slots, %llu batches, retired %llu, end %lld, stop %u\n",
	    round->n_workers, round->n_slots, (unsigned long long)round->n_batches,
	    (unsigned long long)atomic_load_relaxed(&round->shared->retired),
	    (long long)atomic_load_relaxed(&header->end_seq), atomic_load_relaxed(&header->stop));
	for (uint32_t i = 0; i < round->n_slots; i++) {
		/* For a person to read; no order is needed. */
		uint64_t state = atomic_load_relaxed(&slot_at(&round->region, i)->state);
		fprintf(stderr, "  slot %2u: lap %llu, position %u, ", i,
		    (unsigned long long)(slot_state_place_of(state) >> 8),
		    (unsigned)(slot_state_place_of(state) & 0xff));
		if (slot_state_is_busy(state))
			fprintf(stderr, "busy, worker %u\n", slot_state_worker(state));
		else
			fprintf(stderr, "ready\n");
	}
	for (uint32_t group = 0; group < header->n_groups; group++)
		fprintf(stderr, "  group %u: wait word %u, limit %u, park word %u\n", group,
		    atomic_load_relaxed(region_wait_word(&round->region, group)),
		    atomic_load_relaxed(region_limit(&round->region, group)),
		    atomic_load_relaxed(region_park_word(&round->region, group)));
}

void round_fail(const struct round *round, const char *format, ...)
{
	va_list args;
	uint32_t nobody = 0;
	va_start(args, format);
	/* One report is enough. pairs with: cast_end, which waits for it to be complete */
	if (atomic_cas_seq(&round->shared->failed, &nobody, (uint32_t)getpid())) {
		fprintf(stderr, "ring: --%s %llu: ", round->processes ? "processes" : "threads",
		    (unsigned long long)round->seed);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
		round_print(round);
	} else {
		pause();
	}
	va_end(args);
	_exit(1);
}

/* Either a group a stage, or neighbours share one, or one for all; some have more workers. */
static void round_plan(struct round *round, uint64_t *random)
{
	static const uint32_t slots[] = {1, 2, 4, 8, 16, 32};
	uint64_t sharing = random_below(random, 4) * 33;
	round->n_stages = 1 + (uint32_t)random_below(random, ROUND_STAGES_MAX);
	round->n_slots = slots[random_below(random, 6)];
	uint32_t group = GROUP_WORKERS;
	for (uint32_t i = 0; i < round->n_stages; i++) {
		if (i > 0 && random_below(random, 100) >= sharing)
			group++;
		round->groups[i] = group;
	}
	uint32_t more = (uint32_t)random_below(random, ROUND_GROUP_WORKERS_MAX);
	for (uint32_t i = GROUP_WORKERS; i <= group; i++) {
		uint32_t n = 1 + (uint32_t)random_below(random, more + 1);
		while (n-- > 0)
			round->worker_groups[round->n_workers++] = i;
	}
	uint64_t stateless = random_below(random, 3) * 50;
	for (uint32_t i = 0; i < round->n_stages; i++)
		round->stateless[i] = random_below(random, 100) < stateless;
	round->deaths = random_below(random, 2) ? 0 : (uint32_t)random_below(random, 100);
	round->changes = random_below(random, 2) ? 0 : (uint32_t)random_below(random, 500);
	round->size_bits = 1 + (uint32_t)random_below(random, 12);
	/* From a single large batch on its way to all of them. */
	round->memory = (2ull << 20) << random_below(random, 5);
	round->delay = random_below(random, 2) ? 0 : (uint32_t)random_below(random, 100);
	/* Only a process can be. */
	if (round->processes && random_below(random, 2))
		round->kill_us = 1u << random_below(random, 12);
	round->n_batches = 1 + random_below(random, round->delay ? 500 : 3000);
	round->stop_at = UINT64_MAX;
	/* A stop in the middle: all must leave, wherever they are. */
	if (random_below(random, 8) == 0)
		round->stop_at = random_below(random, round->n_batches);
}

static int round_make(struct round *round)
{
	struct region_stage stages[ROUND_STAGES_MAX] = {0};
	struct region_worker workers[ROUND_WORKERS_MAX] = {0};
	for (uint32_t i = 0; i < round->n_stages; i++)
		stages[i].group = round->groups[i];
	for (uint32_t i = 0; i < round->n_workers; i++)
		workers[i].group = round->worker_groups[i];
	struct region_config config = {
	    .n_slots = round->n_slots,
	    .frame = LEAT_U32,
	    .max_record = CONTENT_MAX,
	    .memory = round->memory,
	    .stages = stages,
	    .n_stages = round->n_stages,
	    .workers = workers,
	    .n_workers = round->n_workers,
	};
	return region_new(&config, &round->region);
}

int round_init(struct round *round, uint64_t seed, bool processes, uint64_t *random)
{
	*round = (struct round){.seed = seed, .processes = processes};
	round_plan(round, random);
	void *shared = mmap(NULL, sizeof(*round->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;
	round->shared = shared;
	return round_make(round);
}

void round_fini(struct round *round)
{
	munmap(round->shared, sizeof(*round->shared));
	region_free(&round->region);
}
