/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard: a process that outlives a run that is killed, for as long as it takes to
 * kill what that leaves behind. A child of ours dies with us by itself, but a shell's
 * children do not, so a guard is started where a command is more than one program.
 *
 * It reads the numbers of process groups from a pipe, and kills those that are left
 * when the pipe ends. The program's part is cli/guard.c.
 */
#ifndef ORPHAN_GUARD_H
#define ORPHAN_GUARD_H

#include "child.h"

struct orphan_guard {
	struct child child;
	int pipe; /* -1: no guard */
};

/* Without a guard the run goes on: it is needed only if somebody kills us. */
void orphan_guard_start(struct orphan_guard *guard);

/* Has a group watched, or no more. Does nothing without a guard. */
void orphan_guard_watch(const struct orphan_guard *guard, pid_t group);
void orphan_guard_unwatch(const struct orphan_guard *guard, pid_t group);

/* Every group has been forgotten. */
void orphan_guard_end(struct orphan_guard *guard);

#endif
