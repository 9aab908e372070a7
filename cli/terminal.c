/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define TERMINAL_COLUMNS     80
#define TERMINAL_COLUMNS_MIN 40
#define TERMINAL_COLUMNS_MAX 1000

static int terminal_columns(int fd)
{
	struct winsize size;
	long columns = 0;
	const char *variable = getenv("COLUMNS");
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	if (columns == 0 && variable)
		columns = strtol(variable, NULL, 10);
	if (columns <= 0)
		return TERMINAL_COLUMNS;
	if (columns < TERMINAL_COLUMNS_MIN)
		return TERMINAL_COLUMNS_MIN;
	return columns > TERMINAL_COLUMNS_MAX ? TERMINAL_COLUMNS_MAX : (int)columns;
}

struct terminal terminal_describe(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return (struct terminal){
	    .columns = terminal_columns(fd),
	    .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	    .colour = isatty(fd) && !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0,
	};
}

/* Steps over one character; returns its columns, or -1 if it cannot be shown. */
static int terminal_step(const char **at, mbstate_t *state)
{
	wchar_t wide = 0;
	size_t size = mbrtowc(&wide, *at, strlen(*at), state);
	if (size == 0 || size == (size_t)-1 || size == (size_t)-2) {
		memset(state, 0, sizeof(*state));
		*at += 1;
		return -1;
	}
	*at += size;
	return wcwidth(wide);
}

int terminal_width(const char *text)
{
	int width = 0;
	mbstate_t state = {0};
	while (*text) {
		int columns = terminal_step(&text, &state);
		width += columns < 0 ? 1 : columns;
	}
	return width;
}

void terminal_put(FILE *to, const char *text, int width, bool to_right)
{
	int pad = width - terminal_width(text);
	if (to_right && pad > 0)
		fprintf(to, "%*s", pad, "");
	mbstate_t state = {0};
	for (int left = width; *text;) {
		const char *from = text;
		int columns = terminal_step(&text, &state);
		left -= columns < 0 ? 1 : columns;
		if (left < 0)
			break;
		if (columns < 0)
			fputc('?', to);
		else
			fwrite(from, 1, (size_t)(text - from), to);
	}
	if (!to_right && pad > 0)
		fprintf(to, "%*s", pad, "");
}

void terminal_bold(FILE *to, const struct terminal *terminal, bool on)
{
	if (terminal->colour)
		fputs(on ? "\033[1m" : "\033[0m", to);
}

char *terminal_time(char *buffer, const struct terminal *terminal, double seconds)
{
	static const struct {
		const char *name;
		const char *ascii;
		double seconds;
	} units[] = {{"s", "s", 1}, {"ms", "ms", 1e-3}, {"µs", "us", 1e-6}, {"ns", "ns", 1e-9}};
	size_t unit = 0;
	/* 0.9995 of a unit would round to 1000 of the next. */
	while (unit < 3 && seconds < 0.9995 * units[unit].seconds && seconds > 0)
		unit++;
	double value = seconds / units[unit].seconds;
	int digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	if (seconds <= 0 || unit == 3)
		digits = 0;
	snprintf(buffer, TERMINAL_TIME_MAX, "%.*f %s", digits, value,
	    terminal->utf8 ? units[unit].name : units[unit].ascii);
	return buffer;
}
