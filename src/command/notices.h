/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: lines for the user from workers in this process while the run goes on, and
 * failures that are no single record's fault. Workers post them, the run's thread takes them.
 *
 * Threads: any.
 */
#ifndef NOTICES_H
#define NOTICES_H

#include <leat/error.h>

#include <pthread.h>
#include <stdbool.h>

#define NOTICES_MAX 8

struct notices {
	pthread_mutex_t lock;
	int bell; /* rung when there is something to take */
	unsigned n;
	char texts[NOTICES_MAX][320];
	struct leat_error error; /* the first one */
};

/* bell: borrowed, an eventfd of the run's. */
void notices_init(struct notices *notices, int bell);
void notices_fini(struct notices *notices);

/* Posts one line; dropped when NOTICES_MAX lines are pending. */
__attribute__((format(printf, 2, 3))) void notices_post(
    struct notices *notices, const char *format, ...);

/* Fails the run, unless a failure has been posted before. */
__attribute__((format(printf, 2, 3))) void notices_fail(
    struct notices *notices, const char *format, ...);

/* Takes the oldest line: text holds as many bytes as a line has. False: there is none. */
bool notices_take(struct notices *notices, char *text);

/* The failure; its status is LEAT_OK if there is none. */
struct leat_error notices_error(struct notices *notices);

#endif
