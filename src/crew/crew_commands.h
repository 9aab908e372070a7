/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crew's workers that speak with commands share: notices, the end of the run, and
 * a pipe each for what their processes write to stderr.
 *
 * Threads: the thread that runs the run.
 */
#ifndef CREW_COMMANDS_H
#define CREW_COMMANDS_H

#include "crew.h"

/* Returns 0 or -errno; crew_commands_close_all is due in both cases. */
int crew_commands_open_all(struct crew *crew);
void crew_commands_close_all(struct crew *crew);

/* Stops or continues the commands, as segment_signal. */
void crew_commands_signal(struct crew *crew, int signal);

#endif
