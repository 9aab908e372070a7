/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORES_H
#define CORES_H

/*
 * How many cores this thread may use, at least 1: those of its affinity, or fewer where a
 * control group (version 1 or 2) has a quota of cpu time, a begun core counted whole. A
 * number in LEAT_CORES says otherwise.
 */
unsigned cores_usable(void);

/* What one control group's folder allows; 0: it has no quota. */
unsigned cores_of_folder(const char *folder);

#endif
