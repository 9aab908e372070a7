/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run's history as a stream of fixed-size events, appended to a file by every
 * process of the run. Each write() is of whole events to an O_APPEND descriptor,
 * so events of several processes never mix. The byte order is the machine's.
 */
#ifndef TRACE_H
#define TRACE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum trace_type {
	TRACE_STAGE = 0x6c740001,   /* a stage's name */
	TRACE_CALL = 0x6c740002,    /* one batch through one stage */
	TRACE_PROCESS = 0x6c740003, /* one process of the run has ended */
};

/* Times are CLOCK_MONOTONIC, in nanoseconds. */
struct trace_event {
	uint32_t type;
	uint32_t stage; /* TRACE_PROCESS: the only stage it ran, or TRACE_NO_STAGE */
	union {
		char name[88];
		struct {
			uint64_t
			    first_record; /* source's number of the batch's first record, from 1 */
			uint64_t start_ns;
			uint64_t end_ns;
			uint64_t cpu_ns;
			uint32_t worker;
			uint32_t attempts;
			uint32_t records_in;
			uint32_t records_out;
		} call;
		struct {
			uint64_t start_ns;
			uint64_t end_ns;
			uint64_t user_ns;
			uint64_t sys_ns;
			uint64_t peak_bytes; /* of resident memory */
			uint32_t pid;
			uint32_t is_command; /* a command: its calls cannot be seen */
			/* What a command has read and written by system calls, if that is known. */
			uint64_t read_bytes;
			uint64_t written_bytes;
			uint32_t has_io;
		} process;
	};
};

static_assert(sizeof(struct trace_event) == 96, "the trace is a file format");

#define TRACE_NO_STAGE UINT32_MAX

/* Appends events; returns 0 or -errno. Threads: any. */
int trace_write(int fd, const struct trace_event *events, size_t n);

/* Reads a whole trace from the start of fd. *ret_events is to free(). */
int trace_read(int fd, struct trace_event **ret_events, size_t *ret_n);

#endif
