/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subcommand of the program. Each lives in a file of its own and ends it with
 * one of these.
 */
#ifndef COMMAND_H
#define COMMAND_H

struct command {
	const char *name;
	const char *summary; /* one line of `leat --help` */
	/* argv[0] is the subcommand's name. Returns the exit status, an enum leat_status. */
	int (*run)(int argc, char **argv);
};

#endif
