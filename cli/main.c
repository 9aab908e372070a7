/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: it finds the subcommand and runs it. Each subcommand is a file:
 *
 *	run.c      leat run      with execute.c, options.c, standard.c
 *	stage.c    leat stage    likewise
 *	compare.c  leat compare  with compare_*.c and what they draw with
 *	host.c     leat host     what a run starts for a C stage in a process of its own
 *	guard.c    leat guard    what a run starts to outlive it if it is killed
 */
#include "command.h"
#include "execute.h"
#include "standard.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

extern const struct command compare_command;
extern const struct command guard_command;
extern const struct command host_command;
extern const struct command run_command;
extern const struct command stage_command;

static const struct command *const main_commands[] = {
    &run_command,
    &compare_command,
    &stage_command,
    &guard_command,
    &host_command,
};

#define MAIN_COMMANDS (sizeof(main_commands) / sizeof(main_commands[0]))

static int main_help(FILE *to)
{
	fputs("usage: leat COMMAND [OPTION]... STAGE...\n"
	      "\n"
	      "Carries records through a chain of components, each a plain function or program,\n"
	      "in one thread, on threads, as processes or as programs joined by pipes, with the\n"
	      "same output to the byte, and tells where the time went.\n"
	      "\n",
	    to);
	for (size_t i = 0; i < MAIN_COMMANDS; i++) {
		if (main_commands[i]->summary)
			fprintf(to, "  leat %-9s %s\n", main_commands[i]->name,
			    main_commands[i]->summary);
	}
	fputs("\n"
	      "`leat COMMAND --help` teaches each. For a start:\n"
	      "  seq 5 | leat run 'sed s/^/1/' sort\n"
	      "  printf '11\\n11\\n' | leat run --time-log mul.py:mul add.py:add\n"
	      "  printf '11\\n11\\n' | leat compare mul.py:mul add.py:add\n",
	    to);
	return to == stdout ? execute_help("") : LEAT_CANNOT_START;
}

static int main_version(void)
{
	printf("leat %s\n", leat_version());
	return execute_help("");
}

int main(int argc, char **argv)
{
	standard_open();
	if (argc < 2)
		return main_help(stderr);
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return main_help(stdout);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return main_version();
	for (size_t i = 0; i < MAIN_COMMANDS; i++) {
		if (strcmp(main_commands[i]->name, name) != 0)
			continue;
		/* getopt begins its messages with argv[0]. */
		char whole[32];
		snprintf(whole, sizeof(whole), "leat %s", name);
		argv[1] = whole;
		return main_commands[i]->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "leat: there is no command '%s'; try 'leat --help'\n", name);
	return LEAT_CANNOT_START;
}
