/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A round: a ring of random shape, and what its roles, which are processes or threads,
 * share beside it.
 */
#ifndef ROUND_H
#define ROUND_H

#include "region.h"

#include <stdbool.h>
#include <stdint.h>

#define ROUND_STAGES_MAX	6
#define ROUND_GROUP_WORKERS_MAX 3
#define ROUND_WORKERS_MAX	(ROUND_GROUP_WORKERS_MAX * ROUND_STAGES_MAX)
#define ROUND_SLOTS_MAX		32

/* All but the first two: plain. */
struct round_shared {
	uint32_t failed;		     /* the process that reports it */
	uint64_t retired;		     /* by the sink: the round's progress */
	uint64_t next[ROUND_STAGES_MAX + 2]; /* the batch that a serial position has next */
	uint64_t laps[ROUND_STAGES_MAX + 2][ROUND_SLOTS_MAX]; /* of a slot at a position */
	uint32_t holder[ROUND_STAGES_MAX + 2]; /* the worker at a serial position, + 1 */
};

struct round {
	uint64_t seed;
	bool processes;
	struct region region;
	struct round_shared *shared;
	uint32_t n_stages;
	uint32_t n_slots;
	uint32_t n_workers;
	uint32_t groups[ROUND_STAGES_MAX]; /* of each stage */
	bool stateless[ROUND_STAGES_MAX];
	uint32_t worker_groups[ROUND_WORKERS_MAX];
	uint64_t n_batches;
	uint64_t memory;
	uint32_t size_bits; /* most batches are shorter than 1 << size_bits */
	uint32_t delay;	    /* how many claims in a hundred are followed by one */
	uint32_t deaths;    /* how many claims in a thousand are taken back */
	uint32_t changes;   /* how many batches in a thousand are followed by another limit */
	uint32_t kill_us;   /* a worker is killed about every so many microseconds; 0: none */
	uint64_t n_killed;
	uint64_t stop_at; /* the sink stops the ring after so many batches */
};

/* Draws a round's shape and makes its ring. Returns 0 or -errno. */
int round_init(struct round *round, uint64_t seed, bool processes, uint64_t *random);
void round_fini(struct round *round);

/* Says what is wrong and how the ring stands, and ends the process, with status 1. */
__attribute__((format(printf, 2, 3), noreturn)) void round_fail(
    const struct round *round, const char *format, ...);

#endif
