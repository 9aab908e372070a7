/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system's C compiler: which command compiles one source to a shared object,
 * and running it.
 */
#ifndef COMPILER_H
#define COMPILER_H

#include <leat/error.h>

#include <stddef.h>

/* A command's words, ended by NULL; owned by whoever holds the list. */
struct compiler_words {
	char **at;
	size_t n;
};

struct compiler {
	struct compiler_words command; /* $CC and the flags, which come before the source */
	struct compiler_words link;    /* what the source's own comments name, after it */
};

/*
 * Reads $CC and $CFLAGS, and what the source (its content, with a NUL behind it) asks
 * for in lines such as // leat: -lgmp. Returns 0 or -ENOMEM; free it in both cases.
 */
int compiler_init(
    struct compiler *compiler, const char *include_dir, const char *source, size_t size);
void compiler_fini(struct compiler *compiler);

/* What is compiled. depfile: where the compiler lists the files it has read. */
struct compiler_job {
	const char *name; /* the stage's, for messages */
	const char *source;
	const char *object;
	const char *depfile;
	int stderr_fd; /* where the compiler's own output goes if it fails */
};

/*
 * Returns 0, or -errno with the error written: the compiler is missing, or fails.
 * The caller blocks SIGINT, SIGTERM and SIGHUP meanwhile, so as to clean up first;
 * if one came, that is the error's status, and not that the compiler was ended by it.
 */
int compiler_run(
    const struct compiler *compiler, const struct compiler_job *job, struct leat_error *reterr);

#endif
