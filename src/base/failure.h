/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a struct leat_error: the one line a person reads is made where the
 * failure is understood, and passed up unchanged.
 */
#ifndef FAILURE_H
#define FAILURE_H

#include <leat/error.h>

/*
 * Writes the error and returns `code`, so that a failing function can end with
 * `return failure(reterr, LEAT_STOPPED, -EIO, "...")`. A text that is too long is
 * cut at a character's border. Accepts reterr NULL.
 */
__attribute__((format(printf, 4, 5))) int failure(
    struct leat_error *reterr, int status, int code, const char *format, ...);

#endif
