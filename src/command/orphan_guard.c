/* SPDX-License-Identifier: Apache-2.0 */
#include "orphan_guard.h"

#include "fd.h"
#include "install_paths.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void orphan_guard_start(struct orphan_guard *guard)
{
	int ends[2];
	guard->pipe = -1;
	char *program = install_paths_program();
	if (!program || pipe2(ends, O_CLOEXEC) < 0) {
		free(program);
		return;
	}
	char *const argv[] = {program, "guard", NULL};
	int map[] = {ends[0], STDERR_FILENO, STDERR_FILENO};
	struct child_setup setup = {.argv = argv, .map = map, .n_map = 3};
	if (child_start(&guard->child, &setup) == 0)
		guard->pipe = ends[1];
	else
		fd_close(ends[1]);
	fd_close(ends[0]);
	free(program);
}

void orphan_guard_watch(const struct orphan_guard *guard, pid_t group)
{
	if (guard->pipe >= 0)
		(void)fd_write(guard->pipe, &group, sizeof(group));
}

void orphan_guard_unwatch(const struct orphan_guard *guard, pid_t group)
{
	orphan_guard_watch(guard, -group);
}

void orphan_guard_end(struct orphan_guard *guard)
{
	if (guard->pipe < 0)
		return;
	guard->pipe = fd_close(guard->pipe);
	child_end(&guard->child);
}
