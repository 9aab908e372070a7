/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles a .c file to a shared object, once for each content: the object is
 * kept under the user's cache folder, named by a hash of all that went into it
 * (the file, the headers it includes, the compiler, the flags, the stage ABI).
 * Safe with any number of runs at once: an object appears by rename, complete.
 */
#ifndef COMPILE_CACHE_H
#define COMPILE_CACHE_H

#include <leat/error.h>

#include <stddef.h>

/*
 * path: the .c file; it is compiled, and shown, as it is written here.
 * name: the stage's, for messages.
 * include_dir: where <leat.h> lives.
 * *ret_object: the shared object's path, to free().
 * The compiler's own output goes to stderr_fd when it fails.
 * Returns 0 or -errno with the error written.
 */
int compile_cache_cached(const char *path, const char *name, const char *include_dir, int stderr_fd,
    char **ret_object, struct leat_error *reterr);

/*
 * How a message calls a shared object: "mul.c" for one that compile_cache_cached() has
 * made of .../mul.c, the path itself for any other. *ret_size is that part's length.
 */
const char *compile_cache_shown(const char *object, size_t *ret_size);

#endif
