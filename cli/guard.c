/* SPDX-License-Identifier: Apache-2.0 */
/* leat guard: not for people; see src/command/orphan_guard.h. */
#include "command.h"

#include <leat/error.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

struct guard_groups {
	pid_t *groups; /* 0: a place that is free */
	size_t n;
};

/* A group that there is no memory for is not watched: better than to end. */
static void guard_add(struct guard_groups *all, pid_t group)
{
	size_t i = 0;
	while (i < all->n && all->groups[i] != 0)
		i++;
	if (i == all->n) {
		pid_t *larger = realloc(all->groups, (all->n + 1) * sizeof(*larger));
		if (!larger)
			return;
		all->groups = larger;
		all->n++;
	}
	all->groups[i] = group;
}

static void guard_remove(struct guard_groups *all, pid_t group)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->groups[i] == group) {
			all->groups[i] = 0;
			return;
		}
	}
}

static int guard_main(int argc, char **argv)
{
	struct guard_groups all = {0};
	pid_t group;
	(void)argc;
	(void)argv;
	/* All other children of a run die with it; this one is for afterwards. */
	prctl(PR_SET_PDEATHSIG, 0);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(STDIN_FILENO, &group, sizeof(group)) == (ssize_t)sizeof(group)) {
		if (group > 0)
			guard_add(&all, group);
		else
			guard_remove(&all, -group);
	}
	for (size_t i = 0; i < all.n; i++) {
		if (all.groups[i] > 0)
			kill(-all.groups[i], SIGKILL);
	}
	free(all.groups);
	return LEAT_OK;
}

const struct command guard_command = {"guard", NULL, guard_main};
