/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's side: name the stages of a pipeline, choose a mode, run it.
 *
 *	struct leat_options options = leat_options_default();
 *	struct leat_pipeline *pipeline = leat_pipeline_new(&options);
 *	struct leat_error error;
 *	if (leat_pipeline_add(pipeline, "mul.c:mul", &error) < 0 || ...)
 *		...
 *	int status = leat_pipeline_run(pipeline, &error);
 *	leat_pipeline_free(pipeline);
 *
 * Threads: one pipeline belongs to one thread. A run takes over the signals
 * SIGINT, SIGTERM, SIGHUP and SIGCHLD and, where a stage runs in this process,
 * the descriptors 0 and 1, until it returns: run at most one at a time.
 */
#ifndef LEAT_PIPELINE_H
#define LEAT_PIPELINE_H

#include <leat/error.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How stages are scheduled; never what they compute. */
enum leat_mode {
	LEAT_AUTO,	/* threads for C stages, processes for Python's */
	LEAT_SINGLE,	/* one record through the whole chain, then the next */
	LEAT_THREADS,	/* a thread a stage; Python stages share one interpreter */
	LEAT_PROCESSES, /* a process a stage, records in shared memory */
	LEAT_SHELL,	/* a program a stage, joined by kernel pipes */
};

/* What separates one record from the next, on the way in and on the way out. */
enum leat_frame {
	LEAT_NEWLINE, /* a line; the newline is not part of the record */
	LEAT_NUL,     /* ended by a zero byte */
	LEAT_U32,     /* preceded by its length, 4 bytes, little-endian */
};

enum leat_time_log {
	LEAT_TIME_LOG_OFF,
	LEAT_TIME_LOG_PLAIN, /* Time cost for mul 2.484040975 */
	LEAT_TIME_LOG_FULL,  /* and the record's number, cpu time and worker */
};

/*
 * For a number of workers: as many as the measured service times warrant, at most one
 * for each usable core, and decided again and again during the run.
 */
#define LEAT_WORKERS_AUTO ((unsigned)-1)

enum leat_notice {
	LEAT_HINT,    /* for a person who waits at a terminal */
	LEAT_WARNING, /* for everybody */
};

/*
 * Strings are borrowed and must outlive the pipeline.
 * in_fd, out_fd: read and written, not closed. log_fd: where the time log goes.
 * empty_out: a file behind out_fd is emptied, once every stage is known to be able to start.
 * trace_fd: the run's history is appended to it (-1: none); see observe/trace.h.
 * trace_stage: the number of the first stage in that trace.
 * max_record: the longest record, in bytes.
 * memory: what the batches of a ring (neighbouring stages that are no commands) and what
 *         is read ahead may take, in bytes; 0: enough for max_record. At least 256 pages.
 * filter: the run is one program of a larger pipe, so a reader that went away
 *         and an interrupt are not worth a line.
 * jobs: a pool of so many workers, each able to run every stage that is stateless, or
 *       LEAT_WORKERS_AUTO; 0: a worker a stage. It says that functions are stateless: a record's
 *       result does not depend on the records before it. A Python class is always taken to keep
 *       state; see leat_pipeline_workers and leat_pipeline_serial for single stages.
 * unordered: records may leave in another order than they came.
 * tag: what a stage's process writes to stderr comes out with the stage's name before each
 *      line, as does what a command writes.
 * restart_state: a stage that keeps state (a Python class) and whose process dies goes on
 *       with a new state, instead of failing the run.
 * batch_bytes, batch_records: of a batch: stage, how much of its input a process gets: so
 *       many records, or whole records of so many bytes if batch_records is 0.
 * stall_s: after how many seconds without an answer a command is worth a notice; 0: never.
 * timeout_s: after how many seconds a process of a batch: or each: command, or an answer of
 *       a line: command, has failed; 0: never.
 * notice: called by leat_pipeline_run's thread with what a person who waits should
 *         know now; NULL for nobody.
 */
struct leat_options {
	enum leat_mode mode;
	enum leat_frame frame;
	enum leat_time_log time_log;
	uint64_t max_record;
	uint64_t memory;
	const char *python;  /* the interpreter: a path, or a name on PATH */
	const char *in_name; /* how messages call the source: "stdin" or a path */
	const char *out_name;
	int in_fd;
	int out_fd;
	int log_fd;
	int trace_fd;
	unsigned trace_stage;
	int filter;
	unsigned jobs;
	int unordered;
	int tag;
	int restart_state;
	int empty_out;
	uint64_t batch_bytes;
	uint32_t batch_records;
	unsigned stall_s;
	unsigned timeout_s;
	void (*notice)(void *context, enum leat_notice notice, const char *text);
	void *notice_context;
};

struct leat_options leat_options_default(void);

struct leat_pipeline;

/* Returns NULL only when out of memory. The options are copied. */
struct leat_pipeline *leat_pipeline_new(const struct leat_options *options);

/* Accepts NULL. Leaves no process, mapping or file behind. Returns NULL. */
struct leat_pipeline *leat_pipeline_free(struct leat_pipeline *pipeline);

/*
 * Appends a stage: [NAME=]FILE.py:FUNC, py:MODULE:FUNC, FILE.c:FUNC,
 * FILE.so:FUNC, COMMAND or stream:, line:, batch: or each:COMMAND. The text is copied.
 * Returns 0, or -EINVAL with the error written.
 */
int leat_pipeline_add(struct leat_pipeline *pipeline, const char *text, struct leat_error *reterr);

/*
 * Gives the stage of this name n workers of its own, or LEAT_WORKERS_AUTO, and says that
 * it is stateless if n is more than one; or says that it is serial: one record at a time, in order.
 * Returns 0, or -EINVAL with the error written.
 */
int leat_pipeline_workers(
    struct leat_pipeline *pipeline, const char *name, unsigned n, struct leat_error *reterr);
int leat_pipeline_serial(
    struct leat_pipeline *pipeline, const char *name, struct leat_error *reterr);

/*
 * Runs to the end of the input, a failure or an interrupt.
 * Returns an enum leat_status; every status but LEAT_OK writes the error.
 */
int leat_pipeline_run(struct leat_pipeline *pipeline, struct leat_error *reterr);

/*
 * The line that a person could paste into a shell to run the same chain in
 * shell mode. in_path and out_path: files named on that line, NULL for none.
 * Returns a string to free() in *ret_line; 0 or -errno.
 */
int leat_pipeline_shell_line(const struct leat_pipeline *pipeline, const char *in_path,
    const char *out_path, char **ret_line, struct leat_error *reterr);

size_t leat_pipeline_stages(const struct leat_pipeline *pipeline);

/* The stage's name, owned by the pipeline; NULL past the last one. */
const char *leat_pipeline_stage_name(const struct leat_pipeline *pipeline, size_t stage);

const char *leat_version(void);

#ifdef __cplusplus
}
#endif

#endif
