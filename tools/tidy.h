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
 * No function, since deep down it does not look into calls any more.
 */
#undef errno
#define errno                                                                                      \
	(*({                                                                                       \
		int *tidy = __errno_location();                                                    \
		*tidy = *tidy == EAGAIN	  ? EAGAIN                                                 \
			: *tidy == EINTR  ? EINTR                                                  \
			: *tidy == ENOENT ? ENOENT                                                 \
			: *tidy == EPIPE  ? EPIPE                                                  \
					  : EIO;                                                    \
		tidy;                                                                              \
	}))

/* failure() writes the error and returns its code; not for failure.c itself. */
#if defined(TIDY_FAILURE) && __has_include("failure.h")
#include "failure.h"
#define failure(reterr, status_, code, ...)                                                        \
	(failure(reterr, status_, code, __VA_ARGS__), (reterr)->status = (status_), (code))
#endif

#endif
