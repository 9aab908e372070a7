/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage is, from the text that names it: [NAME=]FILE.py:FUNC,
 * py:MODULE:FUNC, FILE.c:FUNC, FILE.so:FUNC, COMMAND or stream:, line:, batch: or
 * each:COMMAND.
 *
 * A NAME begins with a lower-case letter, so that `LC_ALL=C sort` stays a command.
 */
#ifndef STAGE_SPEC_H
#define STAGE_SPEC_H

#include "region.h"

#include <leat/error.h>

#include <stdbool.h>

/* Strings are owned by the spec; see stage_spec_free. */
struct stage_spec {
	enum stage_kind kind;
	char *name;
	bool named;	  /* by the user, or to tell it from another: stage_spec_text says it */
	char *target;	  /* a file's path, a module's name or a command */
	char *function;	  /* NULL for a command */
	unsigned workers; /* of its own; 0: not said */
	bool serial;	  /* said by the user */
	char *object;	  /* of a C stage, once resolved: the shared object's path */
};

/* Returns 0, or -EINVAL with the error written. */
int stage_spec_parse(const char *text, struct stage_spec *ret_spec, struct leat_error *reterr);

/* Gives it another name. Takes `name`, which is to be freed. */
void stage_spec_rename(struct stage_spec *spec, char *name);

/* Accepts a spec that never was. */
void stage_spec_free(struct stage_spec *spec);

/*
 * Finds the stage's file and compiles it if need be. The compiler's own messages
 * go to stderr. Returns 0 or -errno with the error written.
 */
int stage_spec_resolve(struct stage_spec *spec, struct leat_error *reterr);

/* The text that stage_spec_parse would read as this spec; free() it. NULL: out of memory. */
char *stage_spec_text(const struct stage_spec *spec);

static inline bool stage_spec_is_python(const struct stage_spec *spec)
{
	return spec->kind == STAGE_PYTHON_FILE || spec->kind == STAGE_PYTHON_MODULE;
}

#endif
