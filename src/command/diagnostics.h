/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: lines for the user from workers in this process while the run goes on, and
 * failures that are no single record's fault. Workers post them, the run's thread takes them.
 *
 * Threads: any.
 */
#ifndef DIAGNOSTICS_H
#define DIAGNOSTICS_H

#include <leat/error.h>

#include <pthread.h>
#include <stdbool.h>

#define DIAGNOSTICS_MAX 8

struct diagnostics {
	pthread_mutex_t lock;
	int bell; /* rung when there is something to take */
	unsigned n;
	char texts[DIAGNOSTICS_MAX][320];
	struct leat_error error; /* the first one */
};

/* bell: borrowed, an eventfd of the run's. */
void diagnostics_init(struct diagnostics *notices, int bell);
void diagnostics_fini(struct diagnostics *notices);

/* Posts one line; dropped when DIAGNOSTICS_MAX lines are pending. */
__attribute__((format(printf, 2, 3))) void diagnostics_post(
    struct diagnostics *notices, const char *format, ...);

/* Fails the run, unless a failure has been posted before. */
__attribute__((format(printf, 2, 3))) void diagnostics_fail(
    struct diagnostics *notices, const char *format, ...);

/* Takes the oldest line: text holds as many bytes as a line has. False: there is none. */
bool diagnostics_take(struct diagnostics *notices, char *text);

/* The failure; its status is LEAT_OK if there is none. */
struct leat_error diagnostics_error(struct diagnostics *notices);

#endif
