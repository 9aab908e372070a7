/* SPDX-License-Identifier: Apache-2.0 */
/* The options that `leat run` and `leat stage` share. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <leat/pipeline.h>

#include <getopt.h>

/* Values of options without a letter; a subcommand's own begin at OPTION_OWN. */
enum option_id {
	OPTION_FRAME = 256,
	OPTION_MAX_RECORD,
	OPTION_MEMORY,
	OPTION_PYTHON,
	OPTION_TIME_LOG,
	OPTION_RESTART_STATE,
	OPTION_TAG,
	OPTION_TRACE,
	OPTION_TRACE_STAGE,
	OPTION_OUT_NAME,
	OPTION_BATCH,
	OPTION_STALL,
	OPTION_TIMEOUT,
	OPTION_OWN,
};

#define OPTIONS_SHARED                                                                             \
	{"frame", required_argument, NULL, OPTION_FRAME},                                          \
	    {"max-record", required_argument, NULL, OPTION_MAX_RECORD},                            \
	    {"memory", required_argument, NULL, OPTION_MEMORY},                                    \
	    {"python", required_argument, NULL, OPTION_PYTHON},                                    \
	    {"time-log", optional_argument, NULL, OPTION_TIME_LOG},                                \
	    {"restart-state", no_argument, NULL, OPTION_RESTART_STATE},                            \
	    {"tag", no_argument, NULL, OPTION_TAG},                                                \
	    {"trace", required_argument, NULL, OPTION_TRACE},                                      \
	    {"trace-stage", required_argument, NULL, OPTION_TRACE_STAGE},                          \
	    {"output-name", required_argument, NULL, OPTION_OUT_NAME},                             \
	    {"batch", required_argument, NULL, OPTION_BATCH},                                      \
	    {"stall", required_argument, NULL, OPTION_STALL},                                      \
	    {"timeout", required_argument, NULL, OPTION_TIMEOUT},                                  \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}

#define OPTIONS_SHARED_HELP                                                                        \
	"      --frame FRAME      how records are told apart: newline (the default),\n"            \
	"                         nul, or u32 (4 bytes of length before each)\n"                   \
	"      --max-record SIZE  the longest record; default 64M (suffixes K, M, G)\n"            \
	"      --memory SIZE      bound of the records in flight, from 1M; default: enough\n"      \
	"                         for the longest record\n"                                        \
	"      --batch SIZE       how much of its input a batch: command's process gets: whole\n"  \
	"                         records of 1M in all (the default; suffixes K, M, G), or\n"      \
	"                         1000l for as many records\n"                                     \
	"      --stall SECONDS    say so when a command gives nothing for so long; default\n"      \
	"                         10, 0: never\n"                                                  \
	"      --timeout SECONDS  end a process of each: or batch: that takes longer, or of\n"     \
	"                         line: that does not answer for so long: its record fails\n"      \
	"      --python PYTHON    the interpreter of Python stages; default python3\n"             \
	"      --time-log[=full]  each call's time on stderr; full adds the record's\n"            \
	"                         number, the cpu time and the worker\n"                           \
	"      --tag              before each line that a stage's process writes to stderr,\n"     \
	"                         the stage's name: [mul], or [mul.2] for its second worker\n"     \
	"      --trace FILE       append the run's history to FILE (binary)\n"                     \
	"  -h, --help             show this\n"

/*
 * Takes one shared option. Returns 0, or -EINVAL with a line on stderr: the option is
 * wrong, or, for any id that is not shared, unknown.
 */
int options_take(struct leat_options *options, const char *command, int id, const char *value);

/* A file's path, or NULL for "-": stdin or stdout, as if no file were named. */
const char *options_path(const char *value);

/* A usage error: one line on stderr that ends by naming the help. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) int options_error(
    const char *command, const char *format, ...);

#endif
