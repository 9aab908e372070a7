/* SPDX-License-Identifier: Apache-2.0 */
#include "cast.h"

#include "atomic.h"
#include "check.h"
#include "claim.h"
#include "clock.h"
#include "random.h"
#include "slot.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long nothing may come out before the round is stuck. */
#define CAST_PATIENCE_S 20

static void *cast_thread(void *argument)
{
	role_run(argument);
	return NULL;
}

/* Dies with the test: one that is stuck must not stay. */
static void cast_fork(struct role *role)
{
	role->pid = fork();
	if (role->pid < 0)
		round_fail(role->round, "fork: %s", strerror(errno));
	if (role->pid > 0)
		return;
	alarm(3 * CAST_PATIENCE_S);
	role_run(role);
	_exit(0);
}

static void cast_start(struct role *role)
{
	if (role->round->processes)
		cast_fork(role);
	else if (pthread_create(&role->thread, NULL, cast_thread, role) != 0)
		round_fail(role->round, "cannot start a thread");
}

/* Whether it has ended, by itself and well. */
static bool cast_reap(struct role *role)
{
	int status = 0;
	if (waitpid(role->pid, &status, WNOHANG) != role->pid)
		return false;
	if (status != 0)
		_exit(1); /* it has said why */
	role->pid = 0;
	return true;
}

/* One has failed: ends the test when its report is out. */
static void cast_end(const struct role *killed)
{
	/* pairs with: round_fail */
	uint32_t reporter = atomic_load_seq(&killed->round->shared->failed);
	if (reporter == 0)
		return;
	if (reporter != (uint32_t)killed->pid)
		(void)waitpid((pid_t)reporter, NULL, 0);
	_exit(1);
}

/* What the supervisor does in recovery.c for a process that died. */
static void cast_replace(struct role *role)
{
	struct round *round = role->round;
	uint64_t seq;
	unsigned position;
	check_killed(round, role->worker);
	if (ring_held(&round->region, role->worker, &seq, &position)) {
		slot_give_back(&round->region, seq, slot_output(position));
		(void)ring_take_back(&round->region, seq, position, role->worker);
	}
	ring_wake_all(&round->region);
	cast_fork(role);
}

static void cast_kill(struct role *role)
{
	int status = 0;
	(void)kill(role->pid, SIGKILL);
	if (waitpid(role->pid, &status, 0) != role->pid)
		round_fail(role->round, "waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		cast_end(role);
		role->round->n_killed++;
		cast_replace(role);
	} else if (status != 0) {
		_exit(1); /* it has said why */
	} else {
		role->pid = 0;
	}
}

/* Kills one after the other until the sink has ended. */
static void cast_kill_workers(struct round *round, struct role *roles, unsigned n, uint64_t *random)
{
	uint64_t before = 0;
	uint64_t changed_ns = clock_wall_ns();
	while (!cast_reap(&roles[n - 1])) {
		uint64_t nap_us = random_below(random, 2 * round->kill_us);
		nanosleep(&(struct timespec){.tv_nsec = (long)nap_us * 1000}, NULL);
		struct role *role = &roles[random_below(random, n)];
		if (role->is_worker && role->pid != 0)
			cast_kill(role);
		/* Only looked at for whether it changes. */
		uint64_t now = atomic_load_relaxed(&round->shared->retired);
		if (now != before)
			changed_ns = clock_wall_ns();
		before = now;
		if (clock_wall_ns() - changed_ns > CAST_PATIENCE_S * CLOCK_NS_PER_S)
			round_fail(round, "no progress for %d seconds", CAST_PATIENCE_S);
	}
}

/* Waits a second for it to end. */
static bool cast_join(struct role *role)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec++;
	return pthread_timedjoin_np(role->thread, NULL, &deadline) == 0;
}

static bool cast_reap_soon(struct role *role)
{
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	for (int i = 0; i < 1000; i++) {
		if (role->pid == 0 || cast_reap(role))
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

/* Waits for a role's end as long as there is progress. */
static void cast_await(struct role *role)
{
	struct round *round = role->round;
	uint64_t before = 0;
	for (int idle = 0; !(round->processes ? cast_reap_soon(role) : cast_join(role)); idle++) {
		uint64_t now = atomic_load_relaxed(&round->shared->retired);
		if (now != before)
			idle = 0;
		before = now;
		if (idle >= CAST_PATIENCE_S)
			round_fail(round, "no progress for %d seconds", CAST_PATIENCE_S);
	}
}

void cast_run(struct round *round, struct role *roles, unsigned n, uint64_t *random)
{
	for (unsigned i = 0; i < n; i++)
		cast_start(&roles[i]);
	if (round->kill_us > 0)
		cast_kill_workers(round, roles, n, random);
	/* The sink first: its end stops the others, and its progress is the round's. */
	for (unsigned i = n; i-- > 0;)
		cast_await(&roles[i]);
}
