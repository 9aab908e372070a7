/* SPDX-License-Identifier: Apache-2.0 */
#include "stderr_relay.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MUCH (1 << 20)

/* An outlet whose other end the test reads. */
struct place {
	struct stderr_relay_outlet outlet;
	int ends[2];
	int interrupt[2];
};

static struct place *place_open(void)
{
	struct place *place = calloc(1, sizeof(*place));
	assert_non_null(place);
	assert_int_equal(pipe2(place->ends, O_CLOEXEC), 0);
	assert_int_equal(pipe2(place->interrupt, O_CLOEXEC), 0);
	assert_int_equal(
	    stderr_relay_outlet_open(&place->outlet, place->ends[1], place->interrupt[0]), 0);
	/* The reader sees an end once the outlet is closed. */
	place->ends[1] = fd_close(place->ends[1]);
	assert_int_equal(fcntl(place->ends[0], F_SETFL, O_NONBLOCK), 0);
	return place;
}

static void place_close(struct place *place)
{
	stderr_relay_outlet_close(&place->outlet);
	fd_close(place->ends[0]);
	fd_close(place->interrupt[0]);
	fd_close(place->interrupt[1]);
	free(place);
}

/* What has come out, ended by a zero byte. */
static size_t place_read(const struct place *place, char *text, size_t capacity)
{
	size_t size = 0;
	ssize_t n;
	while ((n = read(place->ends[0], text + size, capacity - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	return size;
}

static void came(const struct place *place, const char *expected)
{
	char text[4096];
	place_read(place, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void has_words(const struct stderr_relay *relay, const char *expected)
{
	char words[STDERR_RELAY_LAST_MAX];
	stderr_relay_last_lines(relay, words);
	assert_string_equal(words, expected);
}

static void passes_on_whole_lines(void **state)
{
	(void)state;
	struct place *place = place_open();
	struct stderr_relay one = {0};
	struct stderr_relay two = {0};
	int to_one;
	int to_two;
	assert_int_equal(stderr_relay_open(&one, &place->outlet, "", &to_one), 0);
	assert_int_equal(stderr_relay_open(&two, &place->outlet, "[two] ", &to_two), 0);
	stderr_relay_pump(&one);
	came(place, "");
	say(to_one, "a\nb");
	say(to_two, "1\n\n2");
	stderr_relay_pump(&one);
	stderr_relay_pump(&two);
	came(place, "a\n[two] 1\n[two] \n");
	say(to_one, "c\n");
	say(to_two, "3");
	stderr_relay_pump(&two);
	stderr_relay_pump(&one);
	came(place, "bc\n");
	/* What has no newline gets one; the other end is open still. */
	stderr_relay_close(&two);
	stderr_relay_close(&one);
	came(place, "[two] 23\n");
	stderr_relay_close(&one);
	fd_close(to_one);
	fd_close(to_two);
	place_close(place);
}

static void passes_on_a_long_line_in_parts(void **state)
{
	(void)state;
	struct place *place = place_open();
	struct stderr_relay relay = {0};
	int to;
	size_t size = STDERR_RELAY_LINE_MAX;
	char *line = malloc(size);
	char *text = malloc(MUCH);
	assert_non_null(line);
	assert_non_null(text);
	memset(line, 'x', size);
	assert_int_equal(stderr_relay_open(&relay, &place->outlet, "[a] ", &to), 0);
	size_t came_out = 0;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(to, line, size), size);
		stderr_relay_pump(&relay);
		came_out += place_read(place, text + came_out, MUCH - came_out);
		stderr_relay_pump(&relay);
		came_out += place_read(place, text + came_out, MUCH - came_out);
	}
	stderr_relay_close(&relay);
	came_out += place_read(place, text + came_out, MUCH - came_out);
	/* One prefix, one newline. */
	assert_int_equal(came_out, 4 + 3 * size + 1);
	assert_memory_equal(text, "[a] xxx", 7);
	assert_ptr_equal(strchr(text, '\n'), text + came_out - 1);
	fd_close(to);
	free(text);
	free(line);
	place_close(place);
}

static void keeps_the_last_words(void **state)
{
	(void)state;
	struct place *place = place_open();
	struct stderr_relay relay = {0};
	int to;
	assert_int_equal(stderr_relay_open(&relay, &place->outlet, "[a] ", &to), 0);
	has_words(&relay, "");
	say(to, "one\n");
	stderr_relay_pump(&relay);
	has_words(&relay, "one");
	/* Empty lines say nothing. */
	say(to, "two\n\n  thr\tee \r\n\n\x1b[1mfour");
	stderr_relay_close(&relay);
	has_words(&relay, "two | thr\\tee | \\x1b[1mfour");
	fd_close(to);
	/* Another process has its own. */
	assert_int_equal(stderr_relay_open(&relay, &place->outlet, "", &to), 0);
	has_words(&relay, "");
	fd_close(to);
	stderr_relay_close(&relay);
	place_close(place);
}

static void has_room_for_any_words(void **state)
{
	(void)state;
	static const char *const units[] = {"x", "\x01", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct place *place = place_open();
		struct stderr_relay relay = {0};
		int to;
		char *words = malloc(STDERR_RELAY_LAST_MAX);
		assert_non_null(words);
		assert_int_equal(stderr_relay_open(&relay, &place->outlet, "", &to), 0);
		for (int line = 0; line < 4; line++) {
			for (int k = 0; k < 300; k++)
				say(to, units[i]);
			say(to, "\n");
		}
		stderr_relay_pump(&relay);
		stderr_relay_last_lines(&relay, words);
		assert_true(strlen(words) < STDERR_RELAY_LAST_MAX);
		assert_true(strlen(words) > STDERR_RELAY_LAST_MAX / 2);
		assert_string_equal(words + strlen(words) - 3, "...");
		fd_close(to);
		stderr_relay_close(&relay);
		free(words);
		place_close(place);
	}
}

/* An outlet that takes no more: nothing is lost, nobody waits but the process that writes. */
static void holds_what_the_outlet_does_not_take(void **state)
{
	(void)state;
	struct place *place = place_open();
	struct stderr_relay relays[2] = {0};
	int to[2];
	char *text = malloc(MUCH);
	assert_non_null(text);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    stderr_relay_open(&relays[i], &place->outlet, i ? "[b] " : "[a] ", &to[i]), 0);
		assert_int_equal(fcntl(to[i], F_SETFL, O_NONBLOCK), 0);
	}
	size_t said[2] = {0, 0};
	char line[32];
	bool full = false;
	while (!full) {
		full = true;
		for (int i = 0; i < 2; i++) {
			int size = snprintf(line, sizeof(line), "%zu\n", said[i]);
			if (write(to[i], line, (size_t)size) == size) {
				said[i]++;
				full = false;
			}
			stderr_relay_pump(&relays[i]);
		}
	}
	struct pollfd items[2];
	assert_int_equal(stderr_relay_outlet_poll(&place->outlet, items), 1);
	assert_int_equal(items[0].events, POLLOUT);
	size_t heard[2] = {0, 0};
	text[0] = '\0';
	char *rest = text;
	for (int quiet = 0; quiet < 2;) {
		size_t kept = strlen(rest);
		memmove(text, rest, kept);
		size_t size = place_read(place, text + kept, MUCH - kept);
		quiet = size ? 0 : quiet + 1;
		rest = text;
		for (char *end; (end = strchr(rest, '\n')); rest = end + 1) {
			int i = rest[1] == 'b';
			char expected[64];
			snprintf(expected, sizeof(expected), "[%c] %zu\n", 'a' + i, heard[i]++);
			assert_memory_equal(rest, expected, strlen(expected));
		}
		/* Who has something to pass on asks to be called again. */
		for (int i = 0; i < 2; i++) {
			if (relays[i].stalled)
				assert_int_equal(stderr_relay_poll(&relays[i], items), 1);
			stderr_relay_pump(&relays[i]);
		}
	}
	assert_int_equal(stderr_relay_outlet_poll(&place->outlet, items), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(heard[i], said[i]);
		stderr_relay_close(&relays[i]);
		fd_close(to[i]);
	}
	free(text);
	place_close(place);
}

/* It would wait for an outlet at the end, but an interrupt ends that. */
static void gives_up_after_an_interrupt(void **state)
{
	(void)state;
	struct place *place = place_open();
	struct stderr_relay relay = {0};
	int to;
	assert_int_equal(stderr_relay_open(&relay, &place->outlet, "", &to), 0);
	assert_int_equal(fcntl(to, F_SETFL, O_NONBLOCK), 0);
	while (write(to, "line\n", 5) == 5 ||
	       stderr_relay_outlet_poll(&place->outlet, &(struct pollfd){0}) == 0)
		stderr_relay_pump(&relay);
	say(place->interrupt[1], "x");
	stderr_relay_close(&relay);
	assert_true(place->outlet.hurry);
	fd_close(to);
	place_close(place);
}

static void survives_a_broken_outlet(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int readable = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct place *left = place_open();
	left->ends[0] = fd_close(left->ends[0]);
	int gone[2];
	assert_int_equal(pipe2(gone, O_CLOEXEC), 0);
	fd_close(gone[0]);
	int fds[] = {full, readable, gone[1]};
	struct stderr_relay_outlet outlets[4] = {0};
	for (int i = 0; i < 4; i++) {
		struct stderr_relay_outlet *outlet = i < 3 ? &outlets[i] : &left->outlet;
		struct stderr_relay relay = {0};
		int to;
		if (i < 3)
			assert_int_equal(stderr_relay_outlet_open(outlet, fds[i], -1), 0);
		assert_int_equal(stderr_relay_open(&relay, outlet, "", &to), 0);
		for (int k = 0; k < 100000; k++) {
			say(to, "line\n");
			stderr_relay_pump(&relay);
		}
		say(to, "last words");
		stderr_relay_close(&relay);
		has_words(&relay, "line | line | last words");
		stderr_relay_outlet_close(outlet);
		fd_close(to);
	}
	place_close(left);
	fd_close(gone[1]);
	fd_close(readable);
	fd_close(full);
}

/* A process that closes its stderr, and lives on. */
static void notices_an_end(void **state)
{
	(void)state;
	struct place *place = place_open();
	struct stderr_relay relay = {0};
	struct pollfd item;
	int to;
	assert_int_equal(stderr_relay_open(&relay, &place->outlet, "", &to), 0);
	assert_int_equal(stderr_relay_poll(&relay, &item), 1);
	say(to, "a\nb");
	fd_close(to);
	stderr_relay_pump(&relay);
	stderr_relay_pump(&relay);
	assert_int_equal(stderr_relay_poll(&relay, &item), 0);
	stderr_relay_close(&relay);
	came(place, "a\nb\n");
	place_close(place);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(passes_on_whole_lines),
	    cmocka_unit_test(passes_on_a_long_line_in_parts),
	    cmocka_unit_test(keeps_the_last_words),
	    cmocka_unit_test(has_room_for_any_words),
	    cmocka_unit_test(holds_what_the_outlet_does_not_take),
	    cmocka_unit_test(gives_up_after_an_interrupt),
	    cmocka_unit_test(survives_a_broken_outlet),
	    cmocka_unit_test(notices_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
