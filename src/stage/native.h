/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A native stage: a C function in a shared object, run in this process.
 * A `struct native` belongs to the worker that opened it.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include "frame.h"

#include <leat/error.h>

#include <stddef.h>
#include <stdint.h>

struct native;

/*
 * Loads `function` from the shared object at `path`. `name` is the stage's, for messages.
 * Returns 0, or -errno with the error written: no such file, no such function,
 * a function that is there but not marked with LEAT_STAGE, another ABI.
 */
int native_open(const char *path, const char *function, const char *name,
    struct native **ret_native, struct leat_error *reterr);
struct native *native_close(struct native *native);

/* What one batch came to. */
struct native_result {
	size_t size;	    /* bytes of output written */
	uint32_t n_records; /* records of output written */
	uint32_t failed;    /* index of the failing input record, if why is not empty */
	char why[512];
};

/*
 * Runs every record of `in` through the function, and appends what it gives to
 * `out` in the same framing. Stops at the first record that fails, with the
 * output of the ones before it kept and `why` written.
 */
void native_run(struct native *native, enum leat_frame frame, const void *in, size_t in_size,
    void *out, size_t capacity, uint64_t max_record, struct native_result *ret_result);

#endif
