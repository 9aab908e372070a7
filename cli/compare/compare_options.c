/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_options.h"

#include "execute.h"
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Each round keeps a trace open until the end. */
#define COMPARE_ROUNDS_MAX 99

enum compare_option {
	COMPARE_INPUT = 'i',
	COMPARE_HELP = 'h',
	COMPARE_ROUNDS = OPTION_OWN,
	COMPARE_MODES,
	COMPARE_JSON,
};

static const struct option compare_long[] = {
    {"input", required_argument, NULL, COMPARE_INPUT},
    {"frame", required_argument, NULL, OPTION_FRAME},
    {"max-record", required_argument, NULL, OPTION_MAX_RECORD},
    {"memory", required_argument, NULL, OPTION_MEMORY},
    {"python", required_argument, NULL, OPTION_PYTHON},
    {"rounds", required_argument, NULL, COMPARE_ROUNDS},
    {"modes", required_argument, NULL, COMPARE_MODES},
    {"json", required_argument, NULL, COMPARE_JSON},
    {"help", no_argument, NULL, COMPARE_HELP},
    {NULL, 0, NULL, 0},
};

static const char *const compare_modes[] = {"single", "threads", "processes", "shell", "auto"};

#define COMPARE_MODES_ALL (sizeof(compare_modes) / sizeof(compare_modes[0]))

_Static_assert(COMPARE_MODES_ALL <= COMPARISON_MODES_MAX, "each mode once has room");

static const char compare_help[] =
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
    "      --memory SIZE   bound of the records in flight\n"
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

static int compare_set_rounds(struct compare_options *options, const char *text)
{
	char *end = NULL;
	long rounds = strtol(text, &end, 10);
	if (end == text || *end || rounds < 1 || rounds > COMPARE_ROUNDS_MAX)
		return options_error("compare", "--rounds is a number from 1 to %d, not '%s'",
		    COMPARE_ROUNDS_MAX, text);
	options->rounds = (size_t)rounds;
	return 0;
}

static int compare_add_mode(struct compare_options *options, const char *name, size_t size)
{
	const char *mode = NULL;
	for (size_t i = 0; i < COMPARE_MODES_ALL; i++) {
		if (strlen(compare_modes[i]) == size && memcmp(compare_modes[i], name, size) == 0)
			mode = compare_modes[i];
	}
	if (!mode)
		return options_error("compare",
		    "no mode is called '%.*s'; there are single, threads, "
		    "processes, shell and auto",
		    (int)size, name);
	for (size_t i = 0; i < options->n_modes; i++) {
		if (options->modes[i] == mode)
			return options_error("compare", "mode %s is named twice", mode);
	}
	options->modes[options->n_modes++] = mode;
	return 0;
}

static int compare_set_modes(struct compare_options *options, const char *text)
{
	options->n_modes = 0;
	for (const char *at = text;; at++) {
		size_t size = strcspn(at, ",");
		int r = compare_add_mode(options, at, size);
		if (r < 0)
			return r;
		at += size;
		if (!*at)
			return 0;
	}
}

/* An option of `leat run` too: checked here, and passed on as it was written. */
static int compare_take_shared(struct compare_options *options, int id, const char *value)
{
	struct leat_options checked = leat_options_default();
	int r = options_take(&checked, "compare", id, value);
	if (r < 0)
		return r;
	if (id == OPTION_FRAME) {
		options->frame = checked.frame;
		options->job.frame = value;
	} else if (id == OPTION_MAX_RECORD) {
		options->job.max_record = value;
	} else if (id == OPTION_MEMORY) {
		options->job.memory = value;
	} else {
		options->job.python = value;
	}
	return 0;
}

static int compare_take(struct compare_options *options, int id, const char *value)
{
	switch (id) {
	case COMPARE_INPUT:
		options->input = strcmp(value, "-") == 0 ? NULL : value;
		return 0;
	case COMPARE_ROUNDS:
		return compare_set_rounds(options, value);
	case COMPARE_MODES:
		return compare_set_modes(options, value);
	case COMPARE_JSON:
		options->json = value;
		return 0;
	default:
		return compare_take_shared(options, id, value);
	}
}

int compare_options_parse(
    int argc, char **argv, struct compare_options *ret_options, int *ret_status)
{
	struct compare_options options = {.rounds = 1, .frame = LEAT_NEWLINE};
	for (size_t i = 0; i < COMPARE_MODES_ALL; i++)
		options.modes[options.n_modes++] = compare_modes[i];
	*ret_status = LEAT_CANNOT_START;
	int id;
	while ((id = getopt_long(argc, argv, "i:h", compare_long, NULL)) != -1) {
		if (id == COMPARE_HELP)
			*ret_status = execute_help(compare_help);
		if (id == COMPARE_HELP || compare_take(&options, id, optarg) < 0)
			return 0;
	}
	if (optind == argc) {
		options_error("compare", "no stage is named");
		return 0;
	}
	options.job.stages = (const char *const *)(void *)(argv + optind);
	options.job.n_stages = (size_t)(argc - optind);
	*ret_options = options;
	return 1;
}
