/* SPDX-License-Identifier: Apache-2.0 */
#include "quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void shows_a_record(void **state)
{
	(void)state;
	static const struct {
		const char *record;
		size_t size;
		const char *shown;
	} cases[] = {
	    {"", 0, "\"\""},
	    {"abc", 3, "\"abc\""},
	    {"a b~", 4, "\"a b~\""},
	    {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
	    {"\t\n\r", 3, "\"\\t\\n\\r\""},
	    {"\0\1\x1b\x1f\x7f", 5, "\"\\x00\\x01\\x1b\\x1f\\x7f\""},
	    {"M\xc3\xbchle", 6, "\"M\xc3\xbchle\""},
	    {"\xe2\x82\xac", 3, "\"\xe2\x82\xac\""},
	    {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},
	    {"\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\""},
	    /* No UTF-8: alone, cut off, overlong, half of a pair, past the last. */
	    {"\x80", 1, "\"\\x80\""},
	    {"\xff", 1, "\"\\xff\""},
	    {"a\xe2\x82", 3, "\"a\\xe2\\x82\""},
	    {"\xe2\x82z", 3, "\"\\xe2\\x82z\""},
	    {"\xc0\xaf", 2, "\"\\xc0\\xaf\""},
	    {"\xe0\x9f\xbf", 3, "\"\\xe0\\x9f\\xbf\""},
	    {"\xf0\x8f\xbf\xbf", 4, "\"\\xf0\\x8f\\xbf\\xbf\""},
	    {"\xed\xa0\x80", 3, "\"\\xed\\xa0\\x80\""},
	    {"\xf4\x90\x80\x80", 4, "\"\\xf4\\x90\\x80\\x80\""},
	    /* Control characters of two bytes, which a terminal obeys. */
	    {"\xc2\x9b[2J", 5, "\"\\xc2\\x9b[2J\""},
	    {"\xc2\x80", 2, "\"\\xc2\\x80\""},
	    {"\xc2\xa0", 2, "\"\xc2\xa0\""},
	};
	char buffer[QUOTE_RECORD_MAX];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_ptr_equal(quote_record(buffer, cases[i].record, cases[i].size), buffer);
		assert_string_equal(buffer, cases[i].shown);
	}
}

static void cuts_a_long_record(void **state)
{
	(void)state;
	char record[1000];
	char buffer[QUOTE_RECORD_MAX];
	memset(record, 'x', sizeof(record));
	quote_record(buffer, record, 59);
	assert_int_equal(strlen(buffer), 61);
	quote_record(buffer, record, 1000);
	assert_string_equal(buffer,
	    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"... 1000 bytes");
}

static void shows_a_line(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		const char *shown;
	} cases[] = {
	    {"", ""},
	    {" \t\r\n", ""},
	    {"\tValueError: \"odd\" \\o/ \r\n", "ValueError: \"odd\" \\o/"},
	    {"a\tb\x1b[1m\xff\xc2\x9b", "a\\tb\\x1b[1m\\xff\\xc2\\x9b"},
	    {"1234567890123456789012345678", "1234567890123456789012345678"},
	    {"12345678901234567890123456789", "1234567890123456789012345678..."},
	    {"123456789012345678901234567\xe2\x82\xac", "123456789012345678901234567..."},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buffer[32];
		assert_ptr_equal(
		    quote_line(buffer, sizeof(buffer), cases[i].line, strlen(cases[i].line)),
		    buffer);
		assert_string_equal(buffer, cases[i].shown);
	}
}

/* Whatever is in a record, there is room for it: the record is in a buffer of its size. */
static void always_fits(void **state)
{
	(void)state;
	static const char *const units[] = {"x", "\"", "\x01", "\xff", "\xe2\x82\xac",
	    "\xf0\x9f\x98\x80", "\xc2\x9b", "xx\xf0\x9f\x98\x80"};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		for (size_t size = 0; size < 80; size++) {
			char *record = malloc(size ? size : 1);
			char *buffer = malloc(QUOTE_RECORD_MAX);
			assert_non_null(record);
			assert_non_null(buffer);
			for (size_t k = 0; k < size; k++)
				record[k] = units[i][k % strlen(units[i])];
			quote_record(buffer, record, size);
			assert_true(strlen(buffer) < QUOTE_RECORD_MAX);
			free(record);
			free(buffer);
		}
	}
	/* The largest size that can be named; no more than the start is read. */
	char buffer[QUOTE_RECORD_MAX];
	char start[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		       "xx\xf0\x9f\x98\x80 and no more";
	quote_record(buffer, start, SIZE_MAX);
	assert_non_null(strstr(buffer, "\"... 18446744073709551615 bytes"));
}

static void quotes_a_word_where_needed(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	    {"", "''"},
	    {"mul.py:mul", "mul.py:mul"},
	    {"--max-record=5", "--max-record=5"},
	    {"a_b@c%d+e,f.g/h-i", "a_b@c%d+e,f.g/h-i"},
	    {"a b", "'a b'"},
	    {"it's", "'it'\\''s'"},
	    {"'", "''\\'''"},
	    {"$HOME `x` \"y\" \\", "'$HOME `x` \"y\" \\'"},
	    {"~", "'~'"},
	    {"*", "'*'"},
	    {"a\nb", "'a\nb'"},
	    {"#", "'#'"},
	    {"\xc3\xbc", "'\xc3\xbc'"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *quoted = quote_shell(cases[i][0]);
		assert_non_null(quoted);
		assert_string_equal(quoted, cases[i][1]);
		free(quoted);
	}
}

/* Every byte but NUL, alone and between others, as a shell reads it back. */
static void a_shell_reads_the_same_word(void **state)
{
	(void)state;
	char word[260];
	for (int i = 0; i < 255; i++)
		word[i] = (char)(i + 1);
	word[255] = '\0';
	char *quoted = quote_shell(word);
	char *line = NULL;
	assert_true(asprintf(&line, "printf %%s %s", quoted) > 0);
	FILE *from = popen(line, "re");
	assert_non_null(from);
	char back[300] = "";
	assert_int_equal(fread(back, 1, sizeof(back), from), 255);
	assert_int_equal(pclose(from), 0);
	assert_memory_equal(back, word, 255);
	free(line);
	free(quoted);
}

static void trims_half_a_character(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	    {"", ""},
	    {"abc", "abc"},
	    {"a\xc3\xbc", "a\xc3\xbc"},
	    {"a\xc3", "a"},
	    {"\xe2\x82\xac", "\xe2\x82\xac"},
	    {"\xe2\x82", ""},
	    {"z\xe2", "z"},
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	    {"\xf0\x9f\x98", ""},
	    {"x\xf0\x9f", "x"},
	    {"x\xf0", "x"},
	    {"\xc3\xbc\xe2\x82", "\xc3\xbc"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[16];
		strcpy(text, cases[i][0]);
		quote_trim(text);
		assert_string_equal(text, cases[i][1]);
	}
	/* Bytes that are no text at all stay as they are, and nothing before them is read. */
	char *bytes = strdup("\x80\x80");
	quote_trim(bytes);
	assert_string_equal(bytes, "\x80\x80");
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shows_a_record),
	    cmocka_unit_test(cuts_a_long_record),
	    cmocka_unit_test(shows_a_line),
	    cmocka_unit_test(always_fits),
	    cmocka_unit_test(quotes_a_word_where_needed),
	    cmocka_unit_test(a_shell_reads_the_same_word),
	    cmocka_unit_test(trims_half_a_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
