/* SPDX-License-Identifier: Apache-2.0 */
#include "host_process.h"

#include "atomic.h"
#include "cores.h"
#include "failure.h"
#include "fd.h"
#include "install_paths.h"
#include "quote.h"
#include "worker_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool host_process_has(const struct crew *crew, unsigned host, uint32_t group)
{
	for (uint32_t i = 0; i < crew->plan.n_workers; i++) {
		if (crew->plan.workers[i].host == host && crew->plan.workers[i].group == group)
			return true;
	}
	return false;
}

const char *host_process_name(const struct crew *crew, unsigned host)
{
	const char *name = NULL;
	for (uint32_t i = 0; i < crew->plan.n_stages; i++) {
		const struct region_stage *stage = &crew->plan.stages[i];
		if (!host_process_has(crew, host, stage->group))
			continue;
		/* What a Python process is for is its first Python stage. */
		bool meant = crew->plan.hosts[host] != HOST_PYTHON || stage->kind != STAGE_C;
		if (meant)
			return stage->name;
		name = stage->name;
	}
	return name ? name : "?";
}

/* Of several workers of a group in processes of their own: which one, from 1. 0: there is one. */
static unsigned host_process_nth(const struct crew *crew, unsigned host)
{
	unsigned n = 0;
	unsigned nth = 0;
	uint32_t group = UINT32_MAX;
	for (uint32_t i = 0; i < crew->plan.n_workers && group == UINT32_MAX; i++) {
		if (crew->plan.workers[i].host == host)
			group = crew->plan.workers[i].group;
	}
	for (uint32_t i = 0; i < crew->plan.n_hosts; i++) {
		n += host_process_has(crew, i, group);
		if (i == host)
			nth = n;
	}
	return n > 1 ? nth : 0;
}

/* "[mul] ", or "[mul.2] " for the second of its workers; "[mul+add] " for who runs both. */
static void host_process_tag(const struct crew *crew, unsigned host, char *tag)
{
	char names[STDERR_RELAY_PREFIX_MAX - 32] = "";
	char number[16] = "";
	size_t size = 0;
	for (uint32_t i = 0; i < crew->plan.n_stages && size < sizeof(names); i++) {
		const struct region_stage *stage = &crew->plan.stages[i];
		if (host_process_has(crew, host, stage->group))
			size += (size_t)snprintf(names + size, sizeof(names) - size, "%s%s",
			    size > 0 ? "+" : "", stage->name);
	}
	unsigned nth = host_process_nth(crew, host);
	if (nth > 0)
		snprintf(number, sizeof(number), ".%u", nth);
	if (size >= sizeof(names))
		quote_trim(names);
	snprintf(tag, STDERR_RELAY_PREFIX_MAX, "[%s%s%s] ", names,
	    size >= sizeof(names) ? "..." : "", number);
}

/*
 * Numeric libraries start as many threads as there are cores, in each of several workers. So
 * each worker's get a share of them, unless the user has said how many. Returns an environment
 * to free, whose strings are others', or NULL for the caller's.
 */
static char **host_process_environment(const struct crew *crew, char *share, size_t capacity)
{
	static const char *const names[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
	    "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"};
	size_t n = 0;
	unsigned cores = cores_usable();
	unsigned each = cores > crew->plan.n_hosts ? cores / crew->plan.n_hosts : 1;
	if (crew->plan.n_hosts < 2)
		return NULL;
	while (environ[n])
		n++;
	char **environment = calloc(n + sizeof(names) / sizeof(names[0]) + 1, sizeof(char *));
	if (!environment)
		return NULL;
	memcpy(environment, environ, n * sizeof(char *));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int size = snprintf(share, capacity, "%s=%u", names[i], each);
		if (!getenv(names[i]) && size > 0 && (size_t)size < capacity) {
			environment[n++] = share;
			share += size + 1;
			capacity -= (size_t)size + 1;
		}
	}
	return environment;
}

/*
 * A host's stdin is empty and its stdout is its stderr, which we pass on: data goes through
 * the region.
 */
static int host_process_exec(struct crew *crew, unsigned host, char *const *argv)
{
	char tag[STDERR_RELAY_PREFIX_MAX] = "";
	int words;
	if (crew->tag)
		host_process_tag(crew, host, tag);
	int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (empty < 0)
		return -errno;
	int r = stderr_relay_open(&crew->relays[host], crew->outlet, tag, &words);
	if (r == 0) {
		int map[] = {empty, words, words, crew->region.fd, crew->bell};
		char share[512];
		char **environment = host_process_environment(crew, share, sizeof(share));
		struct child_setup setup = {
		    .argv = argv, .environment = environment, .map = map, .n_map = 5};
		r = child_start(&crew->hosts[host], &setup);
		free(environment);
		fd_close(words);
		if (r < 0)
			stderr_relay_close(&crew->relays[host]);
	}
	fd_close(empty);
	return r;
}

int host_process_start(struct crew *crew, unsigned host, struct leat_error *reterr)
{
	const char *python = crew->python;
	bool is_python = crew->plan.hosts[host] == HOST_PYTHON;
	char number[16];
	snprintf(number, sizeof(number), "%u", host);
	char *program = is_python ? install_paths_python_dir() : install_paths_program();
	char *library = is_python ? install_paths_library() : NULL;
	char *const python_argv[] = {(char *)python, program, library, "3", "4", number, NULL};
	char *const leat_argv[] = {program, "host", "3", "4", number, NULL};
	int r = -ENOMEM;
	if (program && (!is_python || library))
		r = host_process_exec(crew, host, is_python ? python_argv : leat_argv);
	if (r < 0)
		failure(reterr, crew->working ? LEAT_STOPPED : LEAT_CANNOT_START, r,
		    "stage '%s': %s: %s%s", host_process_name(crew, host),
		    is_python ? python : "leat", strerror(-r),
		    is_python ? " (the interpreter; choose one with --python)" : "");
	free(program);
	free(library);
	return r;
}

bool host_process_is_wanted(const struct crew *crew, unsigned host)
{
	const struct region *region = &crew->region;
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		const struct region_worker *worker = region_worker(region, i);
		if (worker->host == host &&
		    worker_limit_allows(region, worker->group, region_rank(region, i)))
			return true;
	}
	return false;
}

static void host_process_set_states(struct crew *crew, unsigned host, enum worker_state state)
{
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		struct region_worker *worker = region_worker(&crew->region, i);
		/* relaxed: it has no process that could say otherwise */
		if (worker->host == host)
			atomic_store_relaxed(&worker->state, state);
	}
}

static bool host_process_has_state(const struct crew *crew, unsigned host, enum worker_state state)
{
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		const struct region_worker *worker = region_worker(&crew->region, i);
		/* relaxed: nothing but the state is looked at */
		if (worker->host == host && atomic_load_relaxed(&worker->state) == state)
			return true;
	}
	return false;
}

void host_process_defer(struct crew *crew, unsigned host)
{
	host_process_set_states(crew, host, WORKER_DEFERRED);
}

void host_process_start_wanted(struct crew *crew)
{
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		struct leat_error error;
		if (!host_process_has_state(crew, i, WORKER_DEFERRED) ||
		    !host_process_is_wanted(crew, i))
			continue;
		host_process_set_states(crew, i, WORKER_STARTING);
		/* The run can do without: it is tried again at the next call. */
		if (host_process_start(crew, i, &error) < 0)
			host_process_defer(crew, i);
	}
}

void host_process_dismiss(struct crew *crew)
{
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		if (!host_process_has_state(crew, i, WORKER_READY))
			child_kill(&crew->hosts[i], SIGKILL);
	}
}
