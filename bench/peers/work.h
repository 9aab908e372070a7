/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of every part in C and C++: n + 1, after a chain of multiplications and
 * additions that only its length makes slow. It touches no memory and depends on
 * nothing but the core's clock, so it is the same work for us and every peer.
 */
#ifndef WORK_H
#define WORK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORK_STAGES 3

struct work {
	int64_t items;
	int64_t batch; /* items a message */
	int64_t spins[WORK_STAGES];
	int64_t workers;
};

static inline int64_t work_step(int64_t n, int64_t spins)
{
	uint64_t x = (uint64_t)n;
	for (int64_t i = 0; i < spins; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		/* The compiler must believe that each step is used. */
		__asm__ volatile("" : "+r"(x));
	}
	return n + 1;
}

/* Many at once; without spins a loop that the compiler may make as fast as it can. */
static inline void work_steps(int64_t *values, int64_t n, int64_t spins)
{
	if (spins == 0) {
		for (int64_t i = 0; i < n; i++)
			values[i]++;
	} else {
		for (int64_t i = 0; i < n; i++)
			values[i] = work_step(values[i], spins);
	}
}

static inline double work_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ITEMS BATCH SPINS,SPINS,SPINS WORKERS: the arguments of every peer. */
static inline struct work work_read(int argc, char **argv)
{
	struct work work;
	memset(&work, 0, sizeof(work));
	char *at = argc == 5 ? argv[3] : NULL;
	for (int i = 0; at && i < WORK_STAGES; i++) {
		work.spins[i] = strtoll(at, &at, 10);
		at += *at == ',';
	}
	if (at) {
		work.items = atoll(argv[1]);
		work.batch = atoll(argv[2]);
		work.workers = atoll(argv[4]);
	}
	if (!at || *at || work.items < 1 || work.batch < 1 || work.workers < 1) {
		fprintf(stderr, "usage: %s ITEMS BATCH SPINS,SPINS,SPINS WORKERS\n", argv[0]);
		exit(2);
	}
	return work;
}

/* The sum of n + 3 for all n below items; it may wrap, as what it is compared with does. */
static inline uint64_t work_expected(int64_t items)
{
	uint64_t n = (uint64_t)items;
	uint64_t pairs = n % 2 == 0 ? n / 2 * (n - 1) : (n - 1) / 2 * n;
	return pairs + WORK_STAGES * n;
}

/* Checks a peer's result and prints its line. Returns the exit status. */
static inline int work_report(const struct work *work, int64_t items, uint64_t sum, double wall)
{
	if (items != work->items || sum != work_expected(work->items)) {
		fprintf(stderr, "wrong result: %lld items, sum %llu; expected %lld, %llu\n",
		    (long long)items, (unsigned long long)sum, (long long)work->items,
		    (unsigned long long)work_expected(work->items));
		return 1;
	}
	printf("{\"items\": %lld, \"sum\": %llu, \"wall\": %.9f}\n", (long long)items,
	    (unsigned long long)sum, wall);
	return 0;
}

#endif
