// SPDX-License-Identifier: Apache-2.0
/*
 * No peer but the measure of them: the three stages called one after the other,
 * without any pipeline, on one thread or on several that share the items evenly.
 */
#include "work.h"

#include <pthread.h>

struct share {
	pthread_t thread;
	const struct work *work;
	int64_t first;
	int64_t end;
	uint64_t sum;
};

static void *share_run(void *context)
{
	struct share *share = context;
	for (int64_t n = share->first; n < share->end; n++) {
		int64_t value = n;
		for (int i = 0; i < WORK_STAGES; i++)
			value = work_step(value, share->work->spins[i]);
		share->sum += (uint64_t)value;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct work work = work_read(argc, argv);
	struct share *shares = calloc((size_t)work.workers, sizeof(*shares));
	if (!shares)
		return 1;
	double start = work_now();
	for (int64_t i = 0; i < work.workers; i++) {
		shares[i].work = &work;
		shares[i].first = work.items * i / work.workers;
		shares[i].end = work.items * (i + 1) / work.workers;
		if (pthread_create(&shares[i].thread, NULL, share_run, &shares[i]) != 0)
			return 1;
	}
	uint64_t sum = 0;
	for (int64_t i = 0; i < work.workers; i++) {
		pthread_join(shares[i].thread, NULL);
		sum += shares[i].sum;
	}
	double wall = work_now() - start;
	free(shares);
	return work_report(&work, work.items, sum, wall);
}
