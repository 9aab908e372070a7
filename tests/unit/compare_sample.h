/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons built by hand, for the tests of what is said of them.
 */
#ifndef COMPARE_SAMPLE_H
#define COMPARE_SAMPLE_H

#include "compare_digest.h"
#include "compare_print.h"

/* A call as a test writes it down; times in milliseconds from the run's spawn. */
struct sample_call {
	uint32_t stage;
	uint64_t record;
	unsigned start_ms;
	unsigned end_ms;
	unsigned cpu_ms;
	uint32_t records; /* 0: a command's life */
};

/* A comparison on a machine of two cores. */
void sample_init(
    struct comparison *comparison, const char *const *specs, size_t n, uint64_t records);

/* A run more of a mode; the cpu of the run is that of its calls. */
void sample_run(struct comparison *comparison, const char *mode, unsigned wall_ms,
    const struct sample_call *calls, size_t n);

struct compare_mode *sample_mode(struct comparison *comparison, const char *name);

extern const struct terminal sample_ascii; /* 40 columns */
extern const struct terminal sample_utf8;

/* What compare_print_why() says; free() it. */
char *sample_why(const struct comparison *comparison);

#endif
