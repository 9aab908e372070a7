/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files without a name, which vanish with the last process that has them open,
 * however it ends.
 */
#ifndef TEMPFILE_H
#define TEMPFILE_H

/* An empty file in $TMPDIR or /tmp. Returns a descriptor, closed on exec, or -errno. */
int tempfile_open(void);

/* One with all that can be read from `from`. -EINTR when a signal handler ran. */
int tempfile_copy(int from);

#endif
