/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files without a name, which vanish with the last process that has them open,
 * however it ends.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

/* An empty file in $TMPDIR or /tmp. Returns a descriptor, closed on exec, or -errno. */
int scratch_open(void);

/* One with all that can be read from `from`. -EINTR when a signal handler ran. */
int scratch_copy(int from);

#endif
