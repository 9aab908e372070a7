/* SPDX-License-Identifier: Apache-2.0 */
#include "nested_shell.h"

#include <stdio.h>
#include <string.h>

/* Behind a shell's name the options come, then its text or its script. */
enum nested_shell_state {
	NESTED_OUTSIDE,
	NESTED_OPTIONS,
	NESTED_ARGUMENT, /* of the option before */
	NESTED_TEXT,
	NESTED_EVAL,
};

/* A word of a command, as far as it matters here. */
struct nested_shell_word {
	char text[NESTED_PROGRAM_MAX]; /* its beginning, without quotes */
	size_t size;
	bool has_record;
	bool is_record; /* and nothing else */
};

static void nested_shell_put(struct nested_shell_word *word, char byte)
{
	if (word->size < sizeof(word->text) - 1) {
		word->text[word->size] = byte;
		word->text[word->size + 1] = '\0';
	}
	word->size++;
}

/* The length of a place for the record, which is none between single quotes unless it is {}. */
static size_t nested_shell_place(const char *at, char quote)
{
	if (strncmp(at, "{}", 2) == 0)
		return 2;
	if (quote == '\'')
		return 0;
	return strncmp(at, "$1", 2) == 0 ? 2 : strncmp(at, "${1}", 4) == 0 ? 4 : 0;
}

/* Reads a word; returns where it ends. */
static const char *nested_shell_read(const char *at, struct nested_shell_word *word)
{
	char quote = '\0';
	*word = (struct nested_shell_word){0};
	for (; *at && (quote || !strchr(" \t\n;|&()<>", *at)); at++) {
		size_t place = nested_shell_place(at, quote);
		if (place > 0) {
			word->has_record = true;
			at += place - 1;
		} else if (*at == '\\' && quote != '\'' && at[1]) {
			nested_shell_put(word, *++at);
		} else if (quote ? *at == quote : *at == '\'' || *at == '"') {
			quote = quote ? '\0' : *at;
		} else {
			nested_shell_put(word, *at);
		}
	}
	word->is_record = word->has_record && word->size == 0;
	return at;
}

static bool nested_shell_is_shell(const char *word)
{
	static const char *const shells[] = {
	    "sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", NULL};
	const char *slash = strrchr(word, '/');
	const char *name = slash ? slash + 1 : word;
	const char *const *shell = shells;
	while (*shell && strcmp(*shell, name) != 0)
		shell++;
	return *shell != NULL;
}

static bool nested_shell_is_option(const char *word)
{
	return (word[0] == '-' || word[0] == '+') && word[1] != '-';
}

/* -c, also among other letters, as in -ec. */
static bool nested_shell_is_text_option(const char *word)
{
	return nested_shell_is_option(word) && word[0] == '-' && strchr(word, 'c');
}

/* -o pipefail, also as in -euo pipefail. */
static bool nested_shell_takes_argument(const char *word)
{
	return nested_shell_is_option(word) && word[strlen(word) - 1] == 'o';
}

static enum nested_shell_state nested_shell_next(
    enum nested_shell_state state, const struct nested_shell_word *word)
{
	if (state == NESTED_ARGUMENT || nested_shell_is_shell(word->text))
		return NESTED_OPTIONS;
	if (strcmp(word->text, "eval") == 0)
		return NESTED_EVAL;
	if (state == NESTED_OPTIONS && nested_shell_is_text_option(word->text))
		return NESTED_TEXT;
	if (state == NESTED_OPTIONS && nested_shell_takes_argument(word->text))
		return NESTED_ARGUMENT;
	if (state == NESTED_EVAL || (state == NESTED_OPTIONS && word->text[0] == '-'))
		return state;
	return NESTED_OUTSIDE;
}

bool nested_shell_reads_record(const char *command, char ret_program[static NESTED_PROGRAM_MAX])
{
	enum nested_shell_state state = NESTED_OUTSIDE;
	struct nested_shell_word word;
	while (*command) {
		size_t blank = strspn(command, " \t");
		if (blank == 0 && strchr("\n;|&()<>", *command)) {
			state = NESTED_OUTSIDE;
			blank = 1;
		}
		command += blank;
		if (blank > 0)
			continue;
		command = nested_shell_read(command, &word);
		if (state == NESTED_EVAL
			? word.has_record
			: state == NESTED_TEXT && word.has_record && !word.is_record)
			return true;
		state = nested_shell_next(state, &word);
		if (nested_shell_is_shell(word.text))
			snprintf(ret_program, NESTED_PROGRAM_MAX, "%.24s -c", word.text);
		else if (state == NESTED_EVAL && strcmp(word.text, "eval") == 0)
			snprintf(ret_program, NESTED_PROGRAM_MAX, "eval");
	}
	return false;
}
