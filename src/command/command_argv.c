/* SPDX-License-Identifier: Apache-2.0 */
#include "command_argv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Unquoted, any of these is more than a character of a word. */
#define COMMAND_ARGV_SPECIAL "|&;<>()$`*?[]#~!{}\n\r\f\v"

/* The words being read: one buffer, each word ended by a NUL. */
struct command_argv_reader {
	const char *at;
	bool with_record;
	char *to;
};

static bool command_argv_is_among(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

/*
 * First words that only a shell knows. Others it knows otherwise than the program of that
 * name: its echo changes backslashes, which a record must not suffer.
 */
static bool command_argv_is_builtin(const char *word, bool with_record)
{
	static const char *const known[] = {".", ":", "alias", "bg", "break", "case", "cd",
	    "command", "continue", "do", "done", "elif", "else", "esac", "eval", "exec", "exit",
	    "export", "fg", "fi", "for", "getopts", "hash", "if", "jobs", "local", "read",
	    "readonly", "return", "set", "shift", "then", "times", "trap", "type", "ulimit",
	    "umask", "unalias", "unset", "until", "wait", "while", NULL};
	static const char *const both[] = {
	    "echo", "false", "kill", "printf", "pwd", "test", "true", NULL};
	return command_argv_is_among(known, word) ||
	       (!with_record && command_argv_is_among(both, word));
}

static bool command_argv_is_record(const struct command_argv_reader *reader)
{
	return reader->with_record && reader->at[0] == '{' && reader->at[1] == '}';
}

static void command_argv_put_record(struct command_argv_reader *reader)
{
	*reader->to++ = COMMAND_ARGV_RECORD;
	reader->at += 2;
}

/* Each returns false when only a shell can read on. */
static bool command_argv_single_quoted(struct command_argv_reader *reader)
{
	for (reader->at++; *reader->at != '\'';) {
		if (*reader->at == '\0' || *reader->at == COMMAND_ARGV_RECORD)
			return false;
		if (command_argv_is_record(reader))
			command_argv_put_record(reader);
		else
			*reader->to++ = *reader->at++;
	}
	reader->at++;
	return true;
}

static bool command_argv_double_quoted(struct command_argv_reader *reader)
{
	for (reader->at++; *reader->at != '"';) {
		bool escaped =
		    reader->at[0] == '\\' && reader->at[1] && strchr("$`\"\\", reader->at[1]);
		bool parameter =
		    reader->with_record && reader->at[0] == '$' && reader->at[1] == '1';
		if (escaped) {
			*reader->to++ = reader->at[1];
			reader->at += 2;
		} else if (command_argv_is_record(reader) || parameter) {
			command_argv_put_record(reader);
		} else if (*reader->at == '\0' || strchr("$`\1", *reader->at) ||
			   (reader->at[0] == '\\' && reader->at[1] == '\n')) {
			return false;
		} else {
			*reader->to++ = *reader->at++;
		}
	}
	reader->at++;
	return true;
}

static bool command_argv_unquoted(struct command_argv_reader *reader)
{
	if (command_argv_is_record(reader)) {
		command_argv_put_record(reader);
		return true;
	}
	if (reader->at[0] == '\\' && reader->at[1] && reader->at[1] != '\n') {
		*reader->to++ = reader->at[1];
		reader->at += 2;
		return true;
	}
	if (strchr(COMMAND_ARGV_SPECIAL "\\\1", *reader->at))
		return false;
	*reader->to++ = *reader->at++;
	return true;
}

/* One word, which begins here. */
static bool command_argv_read_one(struct command_argv_reader *reader)
{
	while (*reader->at && *reader->at != ' ' && *reader->at != '\t') {
		bool read = *reader->at == '\''	 ? command_argv_single_quoted(reader)
			    : *reader->at == '"' ? command_argv_double_quoted(reader)
						 : command_argv_unquoted(reader);
		if (!read)
			return false;
	}
	*reader->to++ = '\0';
	return true;
}

static int command_argv_add(struct command_argv *words, const char *word)
{
	words->words[words->n] = strdup(word);
	return words->words[words->n] ? (words->n++, 0) : -ENOMEM;
}

/* Reads all words. Returns 1, 0 when a shell is needed, or -ENOMEM. */
static int command_argv_read(struct command_argv_reader *reader, struct command_argv *words)
{
	for (;;) {
		reader->at += strspn(reader->at, " \t");
		if (*reader->at == '\0')
			return words->n > 0;
		const char *word = reader->to;
		if (words->n == COMMAND_ARGV_MAX || !command_argv_read_one(reader))
			return 0;
		/* VAR=value in front of a program, a builtin or a keyword. */
		if (words->n == 0 &&
		    (strchr(word, '=') || command_argv_is_builtin(word, reader->with_record)))
			return 0;
		int r = command_argv_add(words, word);
		if (r < 0)
			return r;
	}
}

int command_argv_split(const char *command, bool with_record, struct command_argv *ret_words)
{
	*ret_words = (struct command_argv){0};
	char *buffer = malloc(strlen(command) + 2);
	if (!buffer)
		return -ENOMEM;
	struct command_argv_reader reader = {
	    .at = command, .with_record = with_record, .to = buffer};
	int r = command_argv_read(&reader, ret_words);
	free(buffer);
	if (r != 1)
		command_argv_free(ret_words);
	return r < 0 ? r : 0;
}

void command_argv_free(struct command_argv *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->words[i]);
	*words = (struct command_argv){0};
}

/* Prints {} as the record, in a text that stands between these quotes. */
static void command_argv_print_record(FILE *to, char quote)
{
	fputs(quote == '\'' ? "'\"$1\"'" : quote == '"' ? "$1" : "\"$1\"", to);
}

char *command_argv_script(const char *command)
{
	char *script = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&script, &size);
	if (!to)
		return NULL;
	char quote = '\0';
	for (const char *at = command; *at; at++) {
		if (at[0] == '{' && at[1] == '}') {
			command_argv_print_record(to, quote);
			at++;
			continue;
		}
		if (at[0] == '\\' && at[1] && quote != '\'')
			fputc(*at++, to);
		else if (quote ? *at == quote : *at == '\'' || *at == '"')
			quote = quote ? '\0' : *at;
		fputc(*at, to);
	}
	if (fclose(to) != 0) {
		free(script);
		return NULL;
	}
	return script;
}

char *command_argv_fill(char *word, const char *record, size_t size)
{
	size_t places = 0;
	for (const char *at = word; *at; at++)
		places += *at == COMMAND_ARGV_RECORD;
	if (places == 0)
		return word;
	char *filled = malloc(strlen(word) + places * size + 1);
	char *to = filled;
	for (const char *at = word; filled && *at; at++) {
		if (*at != COMMAND_ARGV_RECORD)
			*to++ = *at;
		else if (size > 0)
			to = mempcpy(to, record, size);
	}
	if (filled)
		*to = '\0';
	return filled;
}
