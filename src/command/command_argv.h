/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command's text comes to. Where it is one program and its arguments, its words
 * are known and no shell is needed; everything else, such as a pipe, a variable or a
 * pattern, is work for /bin/sh.
 *
 * A record may have a place in it: {} or "$1". It is always one argument, or part of one,
 * and never text that a shell reads.
 *
 * Threads: any; parsed words are constant.
 */
#ifndef COMMAND_ARGV_H
#define COMMAND_ARGV_H

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_ARGV_MAX 64

struct command_argv {
	/* NULL-ended, owned; COMMAND_ARGV_RECORD where the record goes. n is 0: a shell is needed.
	 */
	char *words[COMMAND_ARGV_MAX + 1];
	size_t n;
};

/* Stands for the record in a word; a text that holds this byte is left to a shell. */
#define COMMAND_ARGV_RECORD '\1'

/* Splits a command; with_record: {} and "$1" are the record. Returns 0 or -ENOMEM. */
int command_argv_split(const char *command, bool with_record, struct command_argv *ret_words);
void command_argv_free(struct command_argv *words);

/*
 * The command as a script for sh -c whose $1 is the record: {} becomes "$1" as the
 * quotes around it want it. free() it; NULL: out of memory.
 */
char *command_argv_script(const char *command);

/*
 * The word with the record in its place. free() it, unless it is the word itself, which
 * it is where the record has no place in it. NULL: out of memory.
 */
char *command_argv_fill(char *word, const char *record, size_t size);

#endif
