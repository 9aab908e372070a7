/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run's chain, cut into segments.
 *
 * Threads: the thread that runs the run.
 */
#ifndef CHAIN_SPLIT_H
#define CHAIN_SPLIT_H

#include "run.h"

/* Makes the segments. Returns 0 or -ENOMEM. */
int chain_split_split(struct run *run, const struct stage_spec *specs, uint32_t n_specs);

/* A shell may start what outlives it. */
bool chain_split_needs_guard(const struct run *run);

#endif
