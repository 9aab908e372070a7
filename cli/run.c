/* SPDX-License-Identifier: Apache-2.0 */
/* leat run: a chain of stages from stdin to stdout. */
#include "command.h"
#include "execute.h"
#include "options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char run_help[] =
    "usage: leat run [OPTION]... STAGE...\n"
    "\n"
    "Runs each record of the input through the stages, in order: what one stage gives,\n"
    "the next takes. The mode says how the stages are scheduled, never what comes out.\n"
    "\n"
    "A STAGE is\n"
    "  FILE.py:FUNC     a Python function; its annotations (int, float, str, bytes) say\n"
    "                   how a record is read and written, without one it is JSON;\n"
    "                   None drops the record, a generator gives several\n"
    "  py:MODULE:FUNC   the same from a module\n"
    "  FILE.c:FUNC      a C function marked LEAT_STAGE(FUNC), compiled at first use\n"
    "  FILE.so:FUNC     the same from a shared object\n"
    "  COMMAND          any command, as in a shell pipe; stream:COMMAND says so\n"
    "  line:COMMAND     a lasting process that answers each record with one record\n"
    "  batch:COMMAND    a process for each --batch of records, on its stdin\n"
    "  each:COMMAND     a process a record; the record is \"$1\", and {} in the command\n"
    "  NAME=STAGE       gives it a name of its own\n"
    "\n"
    "  -m, --mode MODE        auto       threads for C, processes for Python (default)\n"
    "                         single     one record through the whole chain at a time\n"
    "                         threads    a thread a stage; Python shares one interpreter\n"
    "                         processes  a process a stage, records in shared memory\n"
    "                         shell      a program a stage, joined by kernel pipes\n"
    "  -i, --input FILE       read FILE instead of stdin, which - is too\n"
    "  -o, --output FILE      write FILE instead of stdout, which - is too\n"
    "  -n, --dry-run          with -m shell: print the line to paste into a shell\n" //
    WORKERS_HELP OPTIONS_SHARED_HELP "\n"
    "Ctrl-C stops reading and finishes what was read; a second one ends at once.\n"
    "Exit status: 0; 2 usage, or a stage that cannot start; 3 stopped by a failing record\n"
    "or stage (a command fails with any status but 0); 130 interrupted, 143 terminated;\n"
    "141 the reader of stdout went away.\n"
    "\n"
    "examples:\n"
    "  printf '11\\n11\\n' | leat run mul.py:mul add.py:add\n"
    "  printf '11\\n11\\n' | leat run -m threads --time-log mul.py:mul add.py:add\n"
    "  leat run -i access.log -o out.gz 'grep GET' parse.c:parse 'gzip -c'\n"
    "  find . -print0 | leat run --frame nul names.py:clean\n";

enum run_option {
	RUN_MODE = 'm',
	RUN_INPUT = 'i',
	RUN_OUTPUT = 'o',
	RUN_DRY = 'n',
};

static const struct option run_long[] = {
    OPTIONS_SHARED,
    WORKERS_OPTIONS,
    {"mode", required_argument, NULL, RUN_MODE},
    {"input", required_argument, NULL, RUN_INPUT},
    {"output", required_argument, NULL, RUN_OUTPUT},
    {"dry-run", no_argument, NULL, RUN_DRY},
    {NULL, 0, NULL, 0},
};

static int run_mode(struct leat_options *options, const char *value)
{
	static const char *const names[] = {
	    [LEAT_AUTO] = "auto",
	    [LEAT_SINGLE] = "single",
	    [LEAT_THREADS] = "threads",
	    [LEAT_PROCESSES] = "processes",
	    [LEAT_SHELL] = "shell",
	};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			options->mode = (enum leat_mode)i;
			return 0;
		}
	}
	return options_error(
	    "run", "--mode is auto, single, threads, processes or shell, not '%s'", value);
}

static int run_main(int argc, char **argv)
{
	struct execute execute = {.options = leat_options_default()};
	int id;
	while ((id = getopt_long(argc, argv, "m:i:o:nh" WORKERS_LETTERS, run_long, NULL)) != -1) {
		int r = 0;
		if (id == 'h')
			return execute_help(run_help);
		if (id == RUN_MODE)
			r = run_mode(&execute.options, optarg);
		else if (id == RUN_INPUT)
			execute.in_path = options_path(optarg);
		else if (id == RUN_OUTPUT)
			execute.out_path = options_path(optarg);
		else if (id == RUN_DRY)
			execute.dry_run = true;
		else
			r = workers_take(&execute.workers, &execute.options, "run", id, optarg);
		if (r < 0)
			return LEAT_CANNOT_START;
	}
	if (optind == argc) {
		options_error("run", "no stage is named");
		return LEAT_CANNOT_START;
	}
	if (execute.dry_run && execute.options.mode != LEAT_SHELL) {
		options_error("run", "--dry-run needs -m shell");
		return LEAT_CANNOT_START;
	}
	bool pooled = execute.options.jobs > 0 || execute.workers.n_counts > 0;
	if (pooled && execute.options.mode == LEAT_SINGLE) {
		options_error("run", "-m single is one worker: it goes with neither -j nor -w");
		return LEAT_CANNOT_START;
	}
	return execute_chain(&execute, argv + optind, argc - optind);
}

const struct command run_command = {"run", "run a chain of stages", run_main};
