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
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 64

struct words {
	/* NULL-ended, owned; WORDS_RECORD where the record goes. n is 0: a shell is needed. */
	char *words[WORDS_MAX + 1];
	size_t n;
};

/* Stands for the record in a word; a text that holds this byte is left to a shell. */
#define WORDS_RECORD '\1'

/* Splits a command; with_record: {} and "$1" are the record. Returns 0 or -ENOMEM. */
int words_parse(const char *command, bool with_record, struct words *ret_words);
void words_free(struct words *words);

/*
 * The command as a script for sh -c whose $1 is the record: {} becomes "$1" as the
 * quotes around it want it. free() it; NULL: out of memory.
 */
char *words_script(const char *command);

/*
 * The word with the record in its place. free() it, unless it is the word itself, which
 * it is where the record has no place in it. NULL: out of memory.
 */
char *words_fill(char *word, const char *record, size_t size);

#endif
