/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program is. Threads: any, while nobody changes the environment. */
#ifndef FIND_PROGRAM_H
#define FIND_PROGRAM_H

/*
 * The file that is executed for a program of this name: itself if it has a slash, else the
 * first on PATH. Returns 0 with a string to free() in *ret_file, unless that is NULL; -EACCES
 * when what there is cannot be executed, -ENOENT when there is none, or -ENOMEM.
 */
int find_program(const char *name, char **ret_file);

#endif
