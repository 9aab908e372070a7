/* SPDX-License-Identifier: Apache-2.0 */
#include "quote.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Input bytes shown at most; each may take four characters. */
#define SHOWN_CHARACTERS 60

/* Room for one character as quote_one writes it. */
#define QUOTE_ONE_MAX 8

/* How many bytes the valid UTF-8 character at `at` has; 0 if it is not one. */
static size_t utf8_size(const unsigned char *at, size_t left)
{
	size_t size = at[0] < 0x80	       ? 1
		      : (at[0] & 0xe0) == 0xc0 ? 2
		      : (at[0] & 0xf0) == 0xe0 ? 3
		      : (at[0] & 0xf8) == 0xf0 ? 4
					       : 0;
	if (size == 0 || size > left)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	bool overlong = at[0] == 0xc0 || at[0] == 0xc1 || (at[0] == 0xe0 && at[1] < 0xa0) ||
			(at[0] == 0xf0 && at[1] < 0x90);
	bool outside =
	    (at[0] == 0xed && at[1] >= 0xa0) || (at[0] == 0xf4 && at[1] >= 0x90) || at[0] > 0xf4;
	return overlong || outside ? 0 : size;
}

/* U+0080 to U+009F: control characters too, which some terminals obey. */
static bool quote_is_c1(const unsigned char *at, size_t size)
{
	return size == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

/*
 * Writes one character or one escaped byte; returns how many input bytes it took. Within
 * quotes, they and the backslash are escaped too.
 */
static size_t quote_one(
    char *to, size_t *written, const unsigned char *at, size_t left, bool quoted)
{
	static const char escapes[] = {['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r'};
	size_t size = utf8_size(at, left);
	if (quoted && (at[0] == '"' || at[0] == '\\')) {
		*written = (size_t)sprintf(to, "\\%c", at[0]);
	} else if (at[0] < sizeof(escapes) && escapes[at[0]]) {
		*written = (size_t)sprintf(to, "\\%c", escapes[at[0]]);
	} else if (size == 0 || at[0] < ' ' || at[0] == 0x7f || quote_is_c1(at, size)) {
		*written = (size_t)sprintf(to, "\\x%02x", at[0]);
		size = 1;
	} else {
		memcpy(to, at, size);
		*written = size;
	}
	return size;
}

char *quote_record(char *buffer, const void *record, size_t size)
{
	const unsigned char *at = record;
	size_t left = size;
	char *to = buffer;
	*to++ = '"';
	while (left > 0 && to - buffer < SHOWN_CHARACTERS) {
		size_t written = 0;
		size_t taken = quote_one(to, &written, at, left, true);
		to += written;
		at += taken;
		left -= taken;
	}
	if (left == 0)
		strcpy(to, "\"");
	else
		sprintf(to, "\"... %zu bytes", size);
	return buffer;
}

static bool quote_is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

char *quote_line(char *buffer, size_t capacity, const void *line, size_t size)
{
	static const char more[] = "...";
	const unsigned char *at = line;
	char *to = buffer;
	while (size > 0 && quote_is_blank(at[size - 1]))
		size--;
	for (; size > 0 && quote_is_blank(at[0]); at++)
		size--;
	while (size > 0) {
		char one[QUOTE_ONE_MAX];
		size_t written = 0;
		size_t taken = quote_one(one, &written, at, size, false);
		if ((size_t)(to - buffer) + written + sizeof(more) > capacity)
			break;
		memcpy(to, one, written);
		to += written;
		at += taken;
		size -= taken;
	}
	strcpy(to, size > 0 ? more : "");
	return buffer;
}

char *quote_shell(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_@%+=:,./-";
	if (word[0] && strspn(word, plain) == strlen(word))
		return strdup(word);
	/* Each quote becomes '\'' : four bytes. */
	char *quoted = malloc(4 * strlen(word) + 3);
	if (!quoted)
		return NULL;
	char *to = quoted;
	*to++ = '\'';
	for (const char *at = word; *at; at++) {
		if (*at == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *at;
	}
	strcpy(to, "'");
	return quoted;
}

void quote_trim(char *text)
{
	size_t size = strlen(text);
	for (size_t back = 1; back <= 4 && back <= size; back++) {
		unsigned char byte = (unsigned char)text[size - back];
		if ((byte & 0xc0) == 0x80)
			continue;
		if (byte >= 0xc0 && utf8_size((unsigned char *)text + size - back, back) == 0)
			text[size - back] = '\0';
		return;
	}
}
