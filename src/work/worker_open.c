/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_open.h"

#include "failure.h"
#include "fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void worker_open_tell(struct leat_worker *worker, uint32_t state)
{
	/* pairs with: crew_ready, crash_recovery_reset: the text in `why` */
	atomic_store_release(&region_worker(worker_region(worker), worker->index)->state, state);
	fd_ring(worker->host->bell);
}

void leat_worker_ready(struct leat_worker *worker)
{
	worker_open_tell(worker, WORKER_READY);
}

void leat_worker_refuse(struct leat_worker *worker, const char *why)
{
	struct region_worker *entry = region_worker(worker_region(worker), worker->index);
	strncpy(entry->why, why, sizeof(entry->why) - 1);
	worker_open_tell(worker, WORKER_REFUSED);
}

static int worker_open_native(
    struct leat_worker *worker, struct worker_stage *mine, struct leat_error *reterr)
{
	unsigned number = mine->position - 1;
	const struct region_stage *stage = region_stage(worker_region(worker), number);
	int r = c_function_open(stage->target, stage->function, stage->name, &mine->native, reterr);
	if (r < 0)
		return r;
	enum leat_kind kind = c_call_kind(c_function_stage(mine->native));
	leat_worker_kinds(worker, number, kind, kind);
	return 0;
}

static int worker_open_command(
    struct leat_worker *worker, struct worker_stage *mine, struct leat_error *reterr)
{
	const struct region *region = worker_region(worker);
	if (!worker->host->commands || worker->group == WORKER_CARRIER)
		return -ENOTSUP;
	mine->command = calloc(1, sizeof(*mine->command));
	if (!mine->command)
		return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
	return launcher_open(mine->command, region, mine->position - 1, worker->index,
	    worker->host->commands, reterr);
}

int worker_load(struct leat_worker *worker, struct leat_error *reterr)
{
	const struct region *region = worker_region(worker);
	int r = 0;
	for (unsigned i = 0; i < region->header->n_stages && r == 0; i++) {
		const struct region_stage *stage = region_stage(region, i);
		if (stage->group != worker->group && worker->group != WORKER_CARRIER)
			continue;
		struct worker_stage *mine = &worker->stages[worker->n_stages++];
		mine->position = i + 1;
		if (stage->kind == STAGE_C)
			r = worker_open_native(worker, mine, reterr);
		else if (region_kind_is_command(stage->kind))
			r = worker_open_command(worker, mine, reterr);
	}
	return r;
}

int leat_worker_open(struct leat_host *host, unsigned nth, struct leat_worker **ret_worker)
{
	int index = worker_host_worker(host, nth);
	if (index < 0)
		return index;
	struct leat_worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return -ENOMEM;
	struct region_worker *entry = region_worker(&host->region, (unsigned)index);
	worker->host = host;
	worker->index = (unsigned)index;
	worker->group = entry->group;
	worker->rank = region_rank(&host->region, worker->index);
	entry->pid = (uint32_t)getpid();
	struct leat_error error = {0};
	int r = worker_load(worker, &error);
	if (r < 0) {
		leat_worker_refuse(worker, error.text);
		leat_worker_close(worker);
	} else {
		*ret_worker = worker;
	}
	return r;
}

struct leat_worker *leat_worker_close(struct leat_worker *worker)
{
	if (!worker)
		return NULL;
	for (unsigned i = 0; i < worker->n_stages; i++) {
		c_function_close(worker->stages[i].native);
		if (worker->stages[i].command)
			launcher_close(worker->stages[i].command);
		free(worker->stages[i].command);
	}
	free(worker->parked.data);
	free(worker);
	return NULL;
}

int leat_worker_foreign(
    const struct leat_worker *worker, unsigned index, struct leat_foreign *ret_foreign)
{
	for (unsigned i = 0; i < worker->n_stages; i++) {
		if (worker->stages[i].native || worker->stages[i].command || index-- != 0)
			continue;
		unsigned number = worker->stages[i].position - 1;
		const struct region_stage *stage = region_stage(worker_region(worker), number);
		*ret_foreign = (struct leat_foreign){
		    .stage = number,
		    .is_module = stage->kind == STAGE_PYTHON_MODULE,
		    .name = stage->name,
		    .target = stage->target,
		    .function = stage->function,
		};
		return 0;
	}
	return -ENOENT;
}

void leat_worker_kinds(
    struct leat_worker *worker, uint32_t stage, enum leat_kind takes, enum leat_kind gives)
{
	/* Every worker of a stage says the same, and nobody reads it before its first is ready. */
	atomic_store_relaxed(&region_stage(worker_region(worker), stage)->takes, takes);
	atomic_store_relaxed(&region_stage(worker_region(worker), stage)->gives, gives);
}

int leat_worker_stateful(struct leat_worker *worker, uint32_t stage)
{
	struct region *region = worker_region(worker);
	if (region_stage(region, stage)->is_replicated)
		return -EINVAL;
	/* As leat_worker_kinds. */
	atomic_store_relaxed(&region_stage(region, stage)->is_serial, 1);
	atomic_store_relaxed(&region_stage(region, stage)->owner,
	    worker_first_of(region, region_stage(region, stage)));
	return 0;
}
