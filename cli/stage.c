/* SPDX-License-Identifier: Apache-2.0 */
/* leat stage: one stage as a program that reads stdin and prints to stdout. */
#include "command.h"
#include "execute.h"
#include "options.h"

#include <stdio.h>

static const char stage_help[] =
    "usage: leat stage [OPTION]... STAGE\n"
    "\n"
    "Runs one stage as a program of its own: it reads records from stdin and prints what\n"
    "the stage gives to stdout, a line out as soon as a line is in. `leat run --help`\n"
    "tells what a STAGE is.\n"
    "\n" //
    WORKERS_HELP OPTIONS_SHARED_HELP "\n"
    "examples:\n"
    "  echo 11 | leat stage mul.py:mul\n"
    "  leat stage mul.py:mul <numbers | leat stage add.c:add | sort -n\n";

static const struct option stage_long[] = {OPTIONS_SHARED, WORKERS_OPTIONS, {NULL, 0, NULL, 0}};

static int stage_main(int argc, char **argv)
{
	struct execute execute = {.options = leat_options_default()};
	execute.options.filter = 1;
	int id;
	while ((id = getopt_long(argc, argv, "h" WORKERS_LETTERS, stage_long, NULL)) != -1) {
		if (id == 'h')
			return execute_help(stage_help);
		if (workers_take(&execute.workers, &execute.options, "stage", id, optarg) < 0)
			return LEAT_CANNOT_START;
	}
	if (argc - optind != 1) {
		options_error("stage",
		    optind == argc ? "no stage is named" : "one stage; a chain is for 'leat run'");
		return LEAT_CANNOT_START;
	}
	return execute_chain(&execute, argv + optind, 1);
}

const struct command stage_command = {"stage", "run one stage as a filter", stage_main};
