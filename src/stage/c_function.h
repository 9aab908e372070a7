/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A native stage: a C function in a shared object, loaded into this process.
 * A `struct c_function` belongs to the worker that opened it.
 */
#ifndef C_FUNCTION_H
#define C_FUNCTION_H

#include <leat/error.h>
#include <leat/stage.h>

struct c_function;

/*
 * Loads `function` from the shared object at `path`. `name` is the stage's, for messages.
 * Returns 0, or -errno with the error written: no such file, no such function,
 * a function that is there but not marked with LEAT_STAGE, another ABI.
 */
int c_function_open(const char *path, const char *function, const char *name,
    struct c_function **ret_native, struct leat_error *reterr);
struct c_function *c_function_close(struct c_function *native);

/* What LEAT_STAGE made; owned by the native stage. */
const struct leat_stage *c_function_stage(const struct c_function *native);

#endif
