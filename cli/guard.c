/* SPDX-License-Identifier: Apache-2.0 */
/* leat guard: not for people; see src/run/guard.h. */
#include "command.h"

#include <leat/error.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#define GUARD_GROUPS_MAX 64

static void guard_note(pid_t *groups, pid_t group)
{
	pid_t wanted = group > 0 ? 0 : -group;
	for (int i = 0; i < GUARD_GROUPS_MAX; i++) {
		if (groups[i] == wanted) {
			groups[i] = group > 0 ? group : 0;
			return;
		}
	}
}

static int guard_main(int argc, char **argv)
{
	pid_t groups[GUARD_GROUPS_MAX] = {0};
	pid_t group;
	(void)argc;
	(void)argv;
	/* All other children of a run die with it; this one is for afterwards. */
	prctl(PR_SET_PDEATHSIG, 0);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(STDIN_FILENO, &group, sizeof(group)) == (ssize_t)sizeof(group))
		guard_note(groups, group);
	for (int i = 0; i < GUARD_GROUPS_MAX; i++) {
		if (groups[i] > 0)
			kill(-groups[i], SIGKILL);
	}
	return LEAT_OK;
}

const struct command guard_command = {"guard", NULL, guard_main};
