/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before each file that clang-tidy looks at. After a call that failed,
 * errno is positive, and -errno negative. The analyzer does not know the first
 * and cannot conclude the second, takes `return -errno` for a success, and finds
 * a fault in every caller. Told which numbers there are, it can.
 */
#ifndef TIDY_H
#define TIDY_H

#include <errno.h>

static inline int *tidy_errno(void)
{
	int *number = __errno_location();
	switch (*number) {
	case EAGAIN:
		*number = EAGAIN;
		break;
	case EINTR:
		*number = EINTR;
		break;
	case ENOENT:
		*number = ENOENT;
		break;
	case EPIPE:
		*number = EPIPE;
		break;
	default:
		*number = EIO; /* any other */
	}
	return number;
}

#undef errno
#define errno (*tidy_errno())

#endif
