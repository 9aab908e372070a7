/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of a round as processes or threads: started, killed and replaced, awaited. */
#ifndef CAST_H
#define CAST_H

#include "role.h"

/* Runs a round from its beginning to its end; the sink is the last of the roles. */
void cast_run(struct round *round, struct role *roles, unsigned n, uint64_t *random);

#endif
