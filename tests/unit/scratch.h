/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of a test's own, which is also its cache folder and is removed with all
 * that is in it; and the files of such a test. A failure here ends the test.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

/*
 * cmocka's set-up and tear-down: makes the folder and forgets the caller's CC and
 * CFLAGS; removes it, and goes back to the folder that the test was started in.
 */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* A path in the folder; it holds until the tear-down. */
const char *scratch_path(const char *name);

/* Writes a file there and returns its path. */
const char *scratch_write(const char *name, const char *content);

/* The same for a script, which can be run when this returns. */
const char *scratch_script(const char *name, const char *content);

/* Reads a file there; "" if there is none. Holds until the tear-down. */
const char *scratch_read(const char *name);

/* How many files in the cache folder have this ending; all of them for "". */
int scratch_cached(const char *ending);

/* Where <leat.h> is; to be asked for before the test goes elsewhere. */
const char *scratch_include(void);

#endif
