/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting until a thread or process waits. */
#ifndef ASLEEP_H
#define ASLEEP_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether this thread or process sleeps in the kernel. */
bool asleep(pid_t id);

/* Returns once it does; a failure, after ten seconds, ends the test. */
void asleep_await(pid_t id);

#endif
