/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side of a host: a process that a run has started to work for it. A host
 * maps the run's shared region, opens each worker assigned to it, and works.
 * A worker runs native (C) stages by itself; for a stage of another language it
 * hands the batch to its caller, who answers with commit or fail.
 *
 * This is what python/leat calls through ctypes; the program's own hosts use it too.
 *
 * Threads: each worker belongs to the one thread that opened it; different
 * workers of one host may run at the same time. Every call may block, so a
 * caller with an interpreter's lock releases it (ctypes.CDLL does).
 */
#ifndef LEAT_WORKER_H
#define LEAT_WORKER_H

#include <leat/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_host;
struct leat_worker;

/*
 * Joins the run whose region and bell (an eventfd) were inherited as these two
 * descriptors; number is this host's in it. From here on this process
 * is killed when the run's process dies. The host owns both descriptors.
 * Returns 0 or -errno.
 */
int leat_host_open(int region_fd, int bell_fd, unsigned number, struct leat_host **ret_host);

/* Its workers must be closed. Accepts NULL, returns NULL. */
struct leat_host *leat_host_close(struct leat_host *host);

/* How many workers the run has assigned to this host. */
unsigned leat_host_workers(const struct leat_host *host);

/* The run's framing and its longest record in bytes. */
enum leat_frame leat_host_frame(const struct leat_host *host);
uint64_t leat_host_max_record(const struct leat_host *host);

/* The bytes that an answer may take; a record with its framing, too. */
uint64_t leat_host_max_answer(const struct leat_host *host);

/* A stage the caller itself must be able to run. Strings are owned by the host. */
struct leat_foreign {
	uint32_t stage;	    /* its number in the ring */
	uint32_t is_module; /* target is a module's name, not a file's path */
	const char *name;
	const char *target;
	const char *function;
};

/*
 * Opens the nth worker of this host and loads its native stages.
 * Returns 0 or -errno; a stage that cannot be loaded is also told to the run.
 */
int leat_worker_open(struct leat_host *host, unsigned nth, struct leat_worker **ret_worker);
struct leat_worker *leat_worker_close(struct leat_worker *worker);

/* The index-th foreign stage of this worker. Returns 0, or -ENOENT past the last. */
int leat_worker_foreign(
    const struct leat_worker *worker, unsigned index, struct leat_foreign *ret_foreign);

/* Tells the run that this worker can start, or why it never can (one line). */
void leat_worker_ready(struct leat_worker *worker);
void leat_worker_refuse(struct leat_worker *worker, const char *why);

/*
 * How a batch stands in memory: as records in the run's framing, or, between
 * neighbours that both take a machine's type, as an array of it.
 */
enum leat_kind {
	LEAT_RECORDS,
	LEAT_I64, /* int64_t */
	LEAT_F64, /* double */
};

/*
 * Says what a foreign stage can take and give beside LEAT_RECORDS, which every stage
 * must. Call it before leat_worker_ready; without it, it is LEAT_RECORDS alone.
 */
void leat_worker_kinds(
    struct leat_worker *worker, uint32_t stage, enum leat_kind takes, enum leat_kind gives);

/*
 * Says that a foreign stage keeps something from one record to the next: then one
 * worker, the same to the end, takes its records in order. Call it before
 * leat_worker_ready. Returns 0, or -EINVAL when the user has given the stage several
 * workers of its own: then refuse.
 */
int leat_worker_stateful(struct leat_worker *worker, uint32_t stage);

/* A batch for a foreign stage, valid until its commit or fail; input is read-only. */
struct leat_batch {
	uint32_t stage;
	uint32_t n_records;
	uint32_t kind;	  /* an enum leat_kind */
	uint32_t wanted;  /* what the answer should be; LEAT_RECORDS will always do */
	uint32_t careful; /* a worker has died of it: call leat_worker_at for each record */
	uint32_t reserved;
	const void *data; /* of that kind */
	uint64_t size;	  /* bytes */
};

/*
 * Waits for work. Native stages are run and committed inside.
 * Returns 1 with a batch, 0 when the run is over, or -errno.
 */
int leat_worker_next(struct leat_worker *worker, struct leat_batch *ret_batch);

/* Notes that the index-th record of the batch, from 0, is being worked on. */
void leat_worker_at(struct leat_worker *worker, uint32_t index);

/*
 * Answers the batch with n_records records of that kind, copied.
 * Returns 0, or -EMSGSIZE when they are more than leat_host_max_answer(): then the
 * batch is still held, and must be failed. -ENOMEM: the worker must end.
 */
int leat_worker_commit(struct leat_worker *worker, enum leat_kind kind, const void *data,
    uint64_t size, uint32_t n_records);

/*
 * Answers the batch with the records that came before the failing one (as
 * commit would) and fails the index-th record of its input, counted from 0.
 * why: one line, for example "mul.py:14: ValueError: odd".
 */
int leat_worker_fail(struct leat_worker *worker, enum leat_kind kind, const void *data,
    uint64_t size, uint32_t n_records, uint32_t index, const char *why);

#ifdef __cplusplus
}
#endif

#endif
