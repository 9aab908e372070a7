/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORES_H
#define CORES_H

/* How many cores this thread may use: those of its affinity, at least 1. */
unsigned cores_usable(void);

#endif
