/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: lines for the user from workers in this process while the run goes on, and
 * failures that are no single record's fault. Workers post them, the run's thread takes them.
 *
 * Threads: any.
 */
#ifndef WORKER_MESSAGES_H
#define WORKER_MESSAGES_H

#include <leat/error.h>

#include <pthread.h>
#include <stdbool.h>

#define WORKER_MESSAGES_MAX 8

struct worker_messages {
	pthread_mutex_t lock;
	int bell; /* rung when there is something to take */
	unsigned n;
	char texts[WORKER_MESSAGES_MAX][320];
	struct leat_error error; /* the first one */
};

/* bell: borrowed, an eventfd of the run's. */
void worker_messages_init(struct worker_messages *notices, int bell);
void worker_messages_fini(struct worker_messages *notices);

/* Posts one line; dropped when WORKER_MESSAGES_MAX lines are pending. */
__attribute__((format(printf, 2, 3))) void worker_messages_post(
    struct worker_messages *notices, const char *format, ...);

/* Fails the run, unless a failure has been posted before. */
__attribute__((format(printf, 2, 3))) void worker_messages_fail(
    struct worker_messages *notices, const char *format, ...);

/* Takes the oldest line: text holds as many bytes as a line has. False: there is none. */
bool worker_messages_take(struct worker_messages *notices, char *text);

/* The failure; its status is LEAT_OK if there is none. */
struct leat_error worker_messages_error(struct worker_messages *notices);

#endif
