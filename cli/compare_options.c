/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each round keeps a trace open until the end. */
#define OPTIONS_ROUNDS_MAX 99

enum options_id {
	OPTIONS_FRAME = 256,
	OPTIONS_MAX_RECORD,
	OPTIONS_PYTHON,
	OPTIONS_ROUNDS,
	OPTIONS_MODES,
	OPTIONS_JSON,
};

static const struct option options_long[] = {
    {"input", required_argument, NULL, 'i'},
    {"frame", required_argument, NULL, OPTIONS_FRAME},
    {"max-record", required_argument, NULL, OPTIONS_MAX_RECORD},
    {"python", required_argument, NULL, OPTIONS_PYTHON},
    {"rounds", required_argument, NULL, OPTIONS_ROUNDS},
    {"modes", required_argument, NULL, OPTIONS_MODES},
    {"json", required_argument, NULL, OPTIONS_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char *const options_modes[] = {"single", "threads", "processes", "shell", "auto"};

#define OPTIONS_MODES_ALL (sizeof(options_modes) / sizeof(options_modes[0]))

_Static_assert(OPTIONS_MODES_ALL <= COMPARISON_MODES_MAX, "each mode once has room");

static const char options_help[] =
    "usage: leat compare [OPTION]... STAGE...\n"
    "\n"
    "Runs the same stages on the same input under every mode, in turns, checks that\n"
    "the outputs are the same byte for byte, and says which mode wins and why.\n"
    "The outputs themselves are not kept.\n"
    "\n"
    "  -i, --input FILE    the input; default: standard input\n"
    "      --modes LIST    default: single,threads,processes,shell,auto; the others are\n"
    "                      compared with single, or else with the first\n"
    "      --rounds N      run each mode N times (1 to 99) and take medians; a difference\n"
    "                      smaller than the rounds' spread is not taken for a gain\n"
    "      --json FILE     write every number as JSON; -: to standard output, and the\n"
    "                      tables to standard error\n"
    "      --frame FRAME   how records end: newline, nul or u32 (a length before each)\n"
    "      --max-record N  the longest record, in bytes\n"
    "      --python PATH   the interpreter of Python stages; default: python3\n"
    "  -h, --help          show this\n"
    "\n"
    "How to read it:\n"
    "  wall/bound  1.00 means that no pipeline of these very calls, with one worker a\n"
    "              stage, can be faster\n"
    "  cpu a call  less than wall a call means that the call waited: for the\n"
    "              interpreter's lock, for a core, or for I/O\n"
    "\n"
    "Exit status: 0; 2 usage, or a stage that cannot start; 3 a mode failed or gave\n"
    "another output; 130 interrupted.\n"
    "\n"
    "examples:\n"
    "  printf '11\\n11\\n' | leat compare mul.py:mul add.py:add\n"
    "  leat compare -i words --rounds 5 --modes single,processes upper.py:upper 'sort -u'\n";

__attribute__((format(printf, 1, 2))) static int options_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("leat compare: ", stderr);
	vfprintf(stderr, format, args);
	fputs("; try 'leat compare --help'\n", stderr);
	va_end(args);
	return -EINVAL;
}

static int options_set_frame(struct compare_options *options, const char *text)
{
	static const char *const names[] = {
	    [LEAT_NEWLINE] = "newline", [LEAT_NUL] = "nul", [LEAT_U32] = "u32"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			options->frame = (enum leat_frame)i;
			options->job.frame = text;
			return 1;
		}
	}
	return options_error("--frame is newline, nul or u32, not '%s'", text);
}

static int options_set_rounds(struct compare_options *options, const char *text)
{
	char *end = NULL;
	long rounds = strtol(text, &end, 10);
	if (end == text || *end || rounds < 1 || rounds > OPTIONS_ROUNDS_MAX)
		return options_error(
		    "--rounds is a number from 1 to %d, not '%s'", OPTIONS_ROUNDS_MAX, text);
	options->rounds = (size_t)rounds;
	return 1;
}

static int options_add_mode(struct compare_options *options, const char *name, size_t size)
{
	const char *mode = NULL;
	for (size_t i = 0; i < OPTIONS_MODES_ALL; i++) {
		if (strlen(options_modes[i]) == size && memcmp(options_modes[i], name, size) == 0)
			mode = options_modes[i];
	}
	if (!mode)
		return options_error("no mode is called '%.*s'; there are single, threads, "
				     "processes, shell and auto",
		    (int)size, name);
	for (size_t i = 0; i < options->n_modes; i++) {
		if (options->modes[i] == mode)
			return options_error("mode %s is named twice", mode);
	}
	options->modes[options->n_modes++] = mode;
	return 1;
}

static int options_set_modes(struct compare_options *options, const char *text)
{
	options->n_modes = 0;
	for (const char *at = text;; at++) {
		size_t size = strcspn(at, ",");
		int r = options_add_mode(options, at, size);
		if (r < 0)
			return r;
		at += size;
		if (!*at)
			return 1;
	}
}

/* Returns 1 to go on, 0 to stop, or -EINVAL. */
static int options_set(struct compare_options *options, int id, char **argv)
{
	switch (id) {
	case 'i':
		options->input = strcmp(optarg, "-") == 0 ? NULL : optarg;
		return 1;
	case 'h':
		fputs(options_help, stdout);
		return 0;
	case OPTIONS_FRAME:
		return options_set_frame(options, optarg);
	case OPTIONS_MAX_RECORD:
		options->job.max_record = optarg;
		return 1;
	case OPTIONS_PYTHON:
		options->job.python = optarg;
		return 1;
	case OPTIONS_ROUNDS:
		return options_set_rounds(options, optarg);
	case OPTIONS_MODES:
		return options_set_modes(options, optarg);
	case OPTIONS_JSON:
		options->json = optarg;
		return 1;
	case ':':
		return options_error("%s needs a value", argv[optind - 1]);
	default:
		break;
	}
	if (optopt && optopt < OPTIONS_FRAME)
		return options_error("there is no option -%c", optopt);
	return options_error("there is no option %s", argv[optind - 1]);
}

int compare_options_parse(int argc, char **argv, struct compare_options *ret_options)
{
	struct compare_options options = {.rounds = 1, .frame = LEAT_NEWLINE};
	for (size_t i = 0; i < OPTIONS_MODES_ALL; i++)
		options.modes[options.n_modes++] = options_modes[i];
	/* Start anew, whatever was parsed before; the errors' words are ours. */
	optind = 0;
	opterr = 0;
	int id;
	/* A plus: what follows the first stage belongs to the stages. */
	while ((id = getopt_long(argc, argv, "+:i:h", options_long, NULL)) != -1) {
		int r = options_set(&options, id, argv);
		if (r <= 0)
			return r;
	}
	if (optind == argc)
		return options_error("no stage is named");
	options.job.stages = (const char *const *)(void *)(argv + optind);
	options.job.n_stages = (size_t)(argc - optind);
	*ret_options = options;
	return 1;
}
