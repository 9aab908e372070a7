/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment that is one program: a command, or in shell mode any stage. It is started, and
 * judged when it has ended.
 *
 * Threads: the thread that runs the run.
 */
#ifndef SEGMENT_PROCESS_H
#define SEGMENT_PROCESS_H

#include "segment.h"

/*
 * base is copied; its type need not be set. argv: NULL-ended, owned from now on, its words
 * too. NULL: out of memory, and argv is still the caller's.
 */
struct segment *segment_process_new(const struct segment *base, char **argv);

#endif
