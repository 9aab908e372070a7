/* SPDX-License-Identifier: Apache-2.0 */
/* Ending threads that may be stuck. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

/*
 * Joins a thread that has been told to end. Returns 0, or -ETIMEDOUT when it does not
 * within a fifth of a second: what it uses must then be left alone for good.
 */
int thread_join(pthread_t thread);

#endif
