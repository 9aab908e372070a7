/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of peers/work.h as stages. BENCH_SPINS holds the spins of the three,
 * as the peers have them in an argument.
 */
#include "../peers/work.h"

#include <leat.h>

int64_t tiny(int64_t n)
{
	return n + 1;
}
LEAT_STAGE(tiny)

static int64_t spins[WORK_STAGES];

/* Runs once, when the stage is loaded. */
__attribute__((constructor)) static void read_spins(void)
{
	char *at = getenv("BENCH_SPINS");
	for (int i = 0; at && i < WORK_STAGES; i++) {
		spins[i] = strtoll(at, &at, 10);
		at += *at == ',';
	}
}

int64_t first(int64_t n)
{
	return work_step(n, spins[0]);
}
LEAT_STAGE(first)

int64_t second(int64_t n)
{
	return work_step(n, spins[1]);
}
LEAT_STAGE(second)

int64_t third(int64_t n)
{
	return work_step(n, spins[2]);
}
LEAT_STAGE(third)
