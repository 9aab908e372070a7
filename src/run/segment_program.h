/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment that is one program: started, and judged when it has ended.
 *
 * Threads: the thread that runs the run.
 */
#ifndef SEGMENT_PROGRAM_H
#define SEGMENT_PROGRAM_H

#include "segment.h"

/* Returns 0 or -errno with the error written. */
int segment_program_start(struct segment *segment, struct leat_error *reterr);

/* Nobody has pressed Ctrl-C: what SIGINT did to its command is a failure like any other. */
void segment_program_judge_struck(struct segment *segment);

/* Passes on its words, and sees its end. */
void segment_program_step(struct segment *segment);

#endif
