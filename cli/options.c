/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int options_error(const char *command, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "leat %s: ", command);
	vfprintf(stderr, format, args);
	fprintf(stderr, "; try 'leat %s --help'\n", command);
	va_end(args);
	return -EINVAL;
}

const char *options_path(const char *value)
{
	return strcmp(value, "-") == 0 ? NULL : value;
}

static int options_frame(struct leat_options *options, const char *command, const char *value)
{
	static const char *const names[] = {
	    [LEAT_NEWLINE] = "newline", [LEAT_NUL] = "nul", [LEAT_U32] = "u32"};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			options->frame = (enum leat_frame)i;
			return 0;
		}
	}
	return options_error(command, "--frame is newline, nul or u32, not '%s'", value);
}

/* A u32 frame and the ring's areas set the bound. */
#define OPTIONS_MAX_RECORD_LIMIT UINT32_MAX

/* The areas' addresses must fit a process, of which there are 47 bits. */
#define OPTIONS_MEMORY_LIMIT (1ull << 40)

/* The least of which every part of a ring has a share; see region.c. */
#define OPTIONS_MEMORY_LEAST (1ull << 20)

/* A number of bytes with a suffix. Returns 0, or -EINVAL with nothing said. */
static int options_size(const char *value, uint64_t least, uint64_t most, uint64_t *ret_size)
{
	static const char suffixes[] = "KMG";
	char *end = NULL;
	errno = 0;
	unsigned long long size = strtoull(value, &end, 10);
	const char *suffix = *end ? strchr(suffixes, *end) : NULL;
	unsigned shift = suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
	if (suffix)
		end++;
	if (value[0] < '0' || value[0] > '9' || *end || errno || size > most >> shift ||
	    size << shift < least)
		return -EINVAL;
	*ret_size = size << shift;
	return 0;
}

static int options_max_record(struct leat_options *options, const char *command, const char *value)
{
	if (options_size(value, 1, OPTIONS_MAX_RECORD_LIMIT, &options->max_record) < 0)
		return options_error(
		    command, "--max-record is a size such as 4096, 64M or 1G, not '%s'", value);
	return 0;
}

static int options_memory(struct leat_options *options, const char *command, const char *value)
{
	if (options_size(value, OPTIONS_MEMORY_LEAST, OPTIONS_MEMORY_LIMIT, &options->memory) < 0)
		return options_error(
		    command, "--memory is a size from 1M, such as 64M or 1G, not '%s'", value);
	return 0;
}

/* Returns the number, or -1 for anything that is none, or is over the limit. */
static long options_number(const char *value, long limit)
{
	char *end = NULL;
	errno = 0;
	long n = strtol(value, &end, 10);
	bool plain = value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0;
	return plain && n <= limit ? n : -1;
}

static int options_batch(struct leat_options *options, const char *command, const char *value)
{
	size_t size = strlen(value);
	char digits[16] = "";
	options->batch_records = 0;
	if (size > 1 && size <= sizeof(digits) && value[size - 1] == 'l') {
		memcpy(digits, value, size - 1);
		long records = options_number(digits, UINT32_MAX - 1);
		if (records > 0)
			options->batch_records = (uint32_t)records;
	} else {
		digits[0] = options_size(value, 1, OPTIONS_MEMORY_LIMIT, &options->batch_bytes) < 0;
	}
	if (options->batch_records == 0 && digits[0])
		return options_error(command,
		    "--batch is a size such as 64K or 1M, or a number of records such as 1000l, "
		    "not '%s'",
		    value);
	return 0;
}

#define OPTIONS_SECONDS_MAX 1000000

static int options_seconds(
    unsigned *ret, const char *command, const char *option, const char *value, long least)
{
	long n = options_number(value, OPTIONS_SECONDS_MAX);
	if (n < least)
		return options_error(command,
		    "%s is a whole number of seconds from %ld on, not '%s'", option, least, value);
	*ret = (unsigned)n;
	return 0;
}

static int options_time_log(struct leat_options *options, const char *command, const char *value)
{
	if (value && strcmp(value, "full") != 0)
		return options_error(command, "--time-log or --time-log=full, not '%s'", value);
	options->time_log = value ? LEAT_TIME_LOG_FULL : LEAT_TIME_LOG_PLAIN;
	return 0;
}

static int options_trace(struct leat_options *options, const char *command, const char *value)
{
	options->trace_fd = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (options->trace_fd < 0)
		return options_error(
		    command, "cannot write the trace '%s': %s", value, strerror(errno));
	return 0;
}

int options_take(struct leat_options *options, const char *command, int id, const char *value)
{
	switch (id) {
	case OPTION_FRAME:
		return options_frame(options, command, value);
	case OPTION_MAX_RECORD:
		return options_max_record(options, command, value);
	case OPTION_MEMORY:
		return options_memory(options, command, value);
	case OPTION_PYTHON:
		options->python = value;
		return 0;
	case OPTION_TIME_LOG:
		return options_time_log(options, command, value);
	case OPTION_RESTART_STATE:
		options->restart_state = 1;
		return 0;
	case OPTION_TAG:
		options->tag = 1;
		return 0;
	case OPTION_TRACE:
		return options_trace(options, command, value);
	case OPTION_TRACE_STAGE:
		options->trace_stage = (unsigned)strtoul(value, NULL, 10);
		return 0;
	case OPTION_BATCH:
		return options_batch(options, command, value);
	case OPTION_STALL:
		return options_seconds(&options->stall_s, command, "--stall", value, 0);
	case OPTION_TIMEOUT:
		return options_seconds(&options->timeout_s, command, "--timeout", value, 1);
	case OPTION_OUT_NAME:
		options->out_name = value;
		return 0;
	default:
		/* getopt_long has said which on stderr. */
		fprintf(stderr, "try 'leat %s --help'\n", command);
		return -EINVAL;
	}
}
