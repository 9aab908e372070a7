/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what a compiler writes with -MF: one rule for make, "target: path path".
 * Threads: any.
 */
#ifndef DEPFILE_H
#define DEPFILE_H

/*
 * Takes the next path off the part after the colon. *at points into a
 * NUL-terminated text, which is written over, and moves on.
 * Returns the path, inside that text, or NULL at the end of the rule.
 */
char *depfile_next(char **at);

#endif
