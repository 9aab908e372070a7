/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one worker loop, of every mode: claim a batch at the latest position that the
 * worker can run, run it, commit it, look again. A worker that runs the whole chain
 * is `single`; one a stage is `threads` or `processes`.
 */
#include "worker.h"

#include "claim.h"
#include "line_worker.h"
#include "memory_budget.h"
#include "wakeup.h"
#include "worker_batch.h"
#include "worker_limit.h"

#include <errno.h>
#include <stdlib.h>

static bool worker_claim_at(struct leat_worker *worker, struct worker_stage *mine)
{
	const struct region *region = worker_region(worker);
	const struct region_stage *stage = region_stage(region, mine->position - 1);
	uint32_t owner = worker_said(&stage->owner);
	if (owner != OWNER_ANY && owner != worker->index)
		return false;
	/* With a result parked it takes only the oldest batch, which always fits. */
	if (worker->parked.data) {
		worker->seq = memory_budget_oldest(region);
		if (!ring_claim_this(region, worker->seq, mine->position, worker->index))
			return false;
		worker->held = mine;
		return true;
	}
	bool (*claim)(const struct region *, unsigned, unsigned, uint64_t *, uint64_t *) =
	    worker_said(&stage->is_serial) ? ring_claim : ring_claim_any;
	if (!claim(region, mine->position, worker->index, &mine->next, &worker->seq))
		return false;
	worker->held = mine;
	return true;
}

/* Latest position first; but before that what no other worker can do. */
static bool worker_claim(struct leat_worker *worker)
{
	const struct region *region = worker_region(worker);
	worker_batch_hand_on(worker);
	for (unsigned owned = 0; owned < 2; owned++) {
		for (unsigned i = worker->n_stages; i-- > 0;) {
			struct worker_stage *mine = &worker->stages[i];
			const struct region_stage *stage = region_stage(region, mine->position - 1);
			uint32_t owner = worker_said(&stage->owner);
			if ((owner == OWNER_ANY) == (owned == 1) && worker_claim_at(worker, mine))
				return true;
		}
	}
	return false;
}

/* Returns true with a claimed batch, false when the run is over. */
static bool worker_wait(struct leat_worker *worker)
{
	struct region *region = worker_region(worker);
	uint32_t *word = region_wait_word(region, worker->group);
	while (!ring_stopped(region)) {
		/* One that holds an answer must be there when it fits. */
		if (!worker->parked.data &&
		    !worker_limit_allows(region, worker->group, worker->rank)) {
			worker_limit_park(region, worker->group, worker->rank);
			continue;
		}
		if (worker_claim(worker))
			return true;
		uint32_t key = wakeup_prepare(word);
		if (ring_stopped(region))
			break;
		if (worker_claim(worker))
			return true;
		wakeup_sleep(word, key);
	}
	return false;
}

int leat_worker_next(struct leat_worker *worker, struct leat_batch *ret_batch)
{
	struct launcher *command = worker->stages[0].command;
	if (command && command->stage->kind == STAGE_LINE) {
		line_worker_run(
		    worker_region(worker), worker->stages[0].position, worker->index, command);
		return 0;
	}
	while (worker_wait(worker)) {
		if (worker_batch_run(worker, ret_batch) == 1)
			return 1;
	}
	return 0;
}

int worker_open_carrier(struct leat_host *host, struct leat_worker **ret_worker)
{
	struct leat_worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return -ENOMEM;
	worker->host = host;
	worker->group = WORKER_CARRIER;
	struct leat_error error = {0};
	int r = worker_load(worker, &error);
	for (unsigned i = 0; r == 0 && i < worker->n_stages; i++) {
		if (!worker->stages[i].native)
			r = -ENOTSUP;
		worker->stages[i].stands_for =
		    worker_first_of(&host->region, region_stage(&host->region, i));
	}
	if (r < 0)
		leat_worker_close(worker);
	else
		*ret_worker = worker;
	return r;
}

unsigned worker_carry(struct leat_worker *carrier, uint64_t seq)
{
	const struct region *region = worker_region(carrier);
	struct leat_batch foreign;
	for (unsigned i = 0; i < carrier->n_stages; i++) {
		struct worker_stage *mine = &carrier->stages[i];
		carrier->index = mine->stands_for;
		if (!ring_claim_this(region, seq, mine->position, carrier->index))
			return mine->position;
		carrier->seq = seq;
		carrier->held = mine;
		(void)worker_batch_run(carrier, &foreign);
	}
	return region_sink(region);
}
