/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounds of a ring of random shape in which every batch is followed from the source
 * to the sink: that a serial stage has each in its turn and one at a time, that every
 * stage has each once, and the content. Now and then a claim is taken back, as if its
 * worker had died over it, or a worker's process is killed, at whatever step it is, and
 * replaced as the product does it, or a group's limit is changed, beyond which workers
 * park. Memory is short: who has none gives its claim back, and no more is ever there than
 * the ring may have.
 *
 *	ring [--seconds N] [--threads | --processes] [SEED]
 *
 * The rounds of a run have the seeds SEED, SEED + 1 …; a round that fails prints its
 * own, and `ring --seconds 0 --threads SEED` runs that one alone. Half of the time the
 * source, the workers and the sink are processes, which are forked while there is no
 * thread, and half of the time threads, so that ThreadSanitizer sees them.
 */
#include "cast.h"
#include "clock.h"
#include "random.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct tally {
	uint64_t n_batches; /* that went through */
	uint64_t n_killed;
};

static void ring_round(uint64_t seed, bool processes, struct tally *tally)
{
	struct round round;
	struct role roles[ROLES_MAX] = {0};
	uint64_t random = seed;
	int r = round_init(&round, seed, processes, &random);
	if (r < 0) {
		fprintf(stderr, "ring: %s\n", strerror(-r));
		_exit(1);
	}
	unsigned n = round.n_workers + 2;
	for (unsigned i = 0; i < n; i++)
		roles[i] = (struct role){.round = &round, .random = random_next(&random)};
	for (unsigned i = 0; i < round.n_workers; i++) {
		roles[i].is_worker = true;
		roles[i].worker = i;
	}
	roles[n - 1].is_sink = true;
	cast_run(&round, roles, n, &random);
	tally->n_batches += round.shared->retired;
	tally->n_killed += round.n_killed;
	round_fini(&round);
}

/* Runs rounds until the time is over, at least one. */
static void ring_rounds(uint64_t seed, bool processes, uint64_t ns)
{
	uint64_t until = clock_wall_ns() + ns;
	struct tally tally = {0};
	unsigned n_rounds = 0;
	do {
		ring_round(seed + n_rounds, processes, &tally);
		n_rounds++;
	} while (clock_wall_ns() < until);
	printf("%s: %u rounds, %llu batches, %llu killed\n", processes ? "processes" : "threads",
	    n_rounds, (unsigned long long)tally.n_batches, (unsigned long long)tally.n_killed);
	fflush(stdout);
}

static uint64_t ring_seed(void)
{
	uint32_t seed = 0;
	ssize_t n = getrandom(&seed, sizeof(seed), 0);
	return n == (ssize_t)sizeof(seed) ? seed : clock_wall_ns();
}

int main(int argc, char **argv)
{
	bool processes = true;
	bool threads = true;
	uint64_t seconds = 4;
	uint64_t seed = ring_seed();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--threads") == 0)
			processes = false;
		else if (strcmp(argv[i], "--processes") == 0)
			threads = false;
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			seconds = strtoull(argv[++i], NULL, 10);
		else
			seed = strtoull(argv[i], NULL, 10);
	}
	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	uint64_t ns = seconds * CLOCK_NS_PER_S / (processes && threads ? 2 : 1);
	if (processes)
		ring_rounds(seed, true, ns);
	if (threads)
		ring_rounds(seed, false, ns);
	return 0;
}
