/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before each file that clang-tidy looks at: what its analyzer, which
 * sees one file at a time, cannot know about two ways to return an error. It
 * takes them for a success else, and finds a fault in every caller.
 */
#ifndef TIDY_H
#define TIDY_H

#include <errno.h>

/*
 * After a call that failed, errno is positive, and -errno negative: it cannot
 * conclude the second from the first, but can when told which numbers there are.
 */
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

/* failure() writes the error and returns its code; not for failure.c itself. */
#if defined(TIDY_FAILURE) && __has_include("failure.h")
#include "failure.h"
#define failure(reterr, status_, code, ...)                                                        \
	(failure(reterr, status_, code, __VA_ARGS__), (reterr)->status = (status_), (code))
#endif

#endif
