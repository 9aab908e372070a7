/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's standard descriptors during a run. The data moves to descriptors of
 * its own; what a stage in this process reads from stdin is empty, and what it prints
 * goes to stderr, so that neither can mix with the data.
 */
#ifndef STANDARD_H
#define STANDARD_H

#include <leat/pipeline.h>

/*
 * Opens 0, 1 and 2 where they were closed, so that nothing else gets those numbers;
 * using them fails as it should. Call it first.
 */
void standard_open(void);

/*
 * Sets in_fd and out_fd, from these paths or else from stdin and stdout.
 * Returns 0, or -errno with a line on stderr.
 */
int standard_take(struct leat_options *options, const char *in_path, const char *out_path);

/*
 * Closes both; the last chance for a file system to say that it kept nothing.
 * Returns 0, or -errno with a line on stderr.
 */
int standard_close(struct leat_options *options);

#endif
