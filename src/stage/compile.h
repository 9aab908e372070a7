/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles a .c file to a shared object, once for each content: the object is
 * kept under the user's cache folder, named by a hash of all that went into it
 * (the file, the headers it includes, the compiler, the flags, the stage ABI).
 * Safe with any number of runs at once: an object appears by rename, complete.
 */
#ifndef COMPILE_H
#define COMPILE_H

#include <leat/error.h>

/*
 * path: the .c file. name: the stage's, for messages.
 * include_dir: where <leat.h> lives.
 * *ret_object: the shared object's path, to free().
 * The compiler's own output goes to stderr_fd when it fails.
 * Returns 0 or -errno with the error written.
 */
int compile_cached(const char *path, const char *name, const char *include_dir, int stderr_fd,
    char **ret_object, struct leat_error *reterr);

#endif
