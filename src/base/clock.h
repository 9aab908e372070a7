/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, in nanoseconds. Threads: any. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_S 1000000000ull

/* CLOCK_MONOTONIC: the same in every process of the machine. */
uint64_t clock_wall_ns(void);

/* The cpu time this thread has used. */
uint64_t clock_cpu_ns(void);

#endif
