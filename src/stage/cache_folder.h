/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder that compiled stages are kept in: the user's cache, or, where there is none that
 * can be written, a temporary one of this process's.
 *
 * Threads: any.
 */
#ifndef CACHE_FOLDER_H
#define CACHE_FOLDER_H

#include <leat/error.h>

/*
 * stage: for messages. *ret_folder: to free(). Returns 0 or -errno with the error written: a
 * folder that others may write to is refused, since objects from it are run.
 */
int cache_folder_open(const char *stage, char **ret_folder, struct leat_error *reterr);

/* Removes a folder that cache_folder_open has given, with its files, if it is a temporary one. */
void cache_folder_discard(const char *folder);

/* The same for the folder that a compiled object lies in. */
void cache_folder_close(const char *object);

#endif
