/* SPDX-License-Identifier: Apache-2.0 */
#include "c_function.h"
#include "c_call.h"

#include "compile_cache.h"
#include "scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT 100

/* Compiles the text and opens a function of it; the stage is called as its function is. */
static struct c_function *open_text(const char *text, const char *function)
{
	char *object = NULL;
	struct c_function *native = NULL;
	struct leat_error error = {0};
	const char *path = scratch_write("fixture.c", text);
	if (compile_cache_cached(
		path, function, scratch_include(), STDERR_FILENO, &object, &error) < 0 ||
	    c_function_open(object, function, function, &native, &error) < 0)
		fail_msg("%s", error.text);
	free(object);
	return native;
}

/* Runs a batch of records through it, giving records. */
static void run_text(const struct c_function *native, enum leat_frame frame, const char *in,
    size_t size, char *out, size_t capacity, uint64_t max_record, struct c_call_result *ret_result)
{
	struct batch batch = {.kind = LEAT_RECORDS, .data = in, .size = size};
	struct c_call_output output = {
	    .data = out, .capacity = capacity, .frame = frame, .max_record = max_record};
	c_call_batch(c_function_stage(native), &batch, &output, ret_result);
}

/* Runs lines through it; the output and what failed must be these. */
static void check_lines(struct c_function *native, const char *in, const char *expected,
    uint32_t failed, const char *why)
{
	char out[256];
	struct c_call_result result;
	run_text(native, LEAT_NEWLINE, in, strlen(in), out, sizeof(out), LIMIT, &result);
	assert_string_equal(result.why, why);
	assert_int_equal(result.failed, failed);
	assert_int_equal(result.size, strlen(expected));
	assert_memory_equal(out, expected, result.size);
	uint32_t n = 0;
	for (const char *at = expected; *at; at++)
		n += *at == '\n';
	assert_int_equal(result.n_records, n);
}

static const char integers[] = "#include <leat.h>\n"
			       "int64_t twice(int64_t n) { return 2 * n; }\n"
			       "LEAT_STAGE(twice)\n"
			       "static int64_t hidden(int64_t n) { return -n; }\n"
			       "LEAT_STAGE(hidden)\n"
			       "int64_t plain(int64_t n) { return n; }\n";

static void runs_int64(void **state)
{
	(void)state;
	struct c_function *twice = open_text(integers, "twice");
	check_lines(twice, "", "", 0, "");
	check_lines(twice, "1\n-20\n 300 \n", "2\n-40\n600\n", 0, "");
	check_lines(twice, "1\nx\n3\n", "2\n", 1, "not an integer");
	check_lines(twice, "\n", "", 0, "not an integer");
	check_lines(twice, "9223372036854775808\n", "", 0,
	    "9223372036854775808 does not fit int64_t; "
	    "use the GMP form (void f(mpz_t, const mpz_t))");
	check_lines(twice, " -99999999999999999999999999999999 \n", "", 0,
	    "-99999999999999999999999... does not fit int64_t; "
	    "use the GMP form (void f(mpz_t, const mpz_t))");
	check_lines(twice, "123456789012345678\n1234567890123456789\n+0005\n",
	    "246913578024691356\n2469135780246913578\n10\n", 0, "");
	static const char *const bad[] = {"-", "--1", "1-", "5x", "x5", "1 2", "1.0"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char lines[16];
		snprintf(lines, sizeof(lines), "7\n%s\n", bad[i]);
		check_lines(twice, lines, "14\n", 1, "not an integer");
	}
	twice = c_function_close(twice);
	assert_null(twice);

	struct c_function *hidden = open_text(integers, "hidden");
	check_lines(hidden, "5\n", "-5\n", 0, "");
	c_function_close(hidden);
}

/* The limits hold for numbers as for all else, and so does the framing. */
static void frames_int64(void **state)
{
	(void)state;
	struct c_function *twice = open_text(integers, "twice");
	char out[64];
	struct c_call_result result;
	run_text(twice, LEAT_NEWLINE, "499\n500\n", 8, out, sizeof(out), 3, &result);
	assert_string_equal(result.why, "gives a record of 4 bytes, over the limit of 3");
	assert_int_equal(result.failed, 1);
	assert_int_equal(result.size, 4);
	run_text(twice, LEAT_NEWLINE, "1\n2\n500\n", 8, out, 8, LIMIT, &result);
	assert_string_equal(result.why, "gives 5 bytes or more, of which 4 fit into memory beside "
					"what the records before it gave; raise --memory");
	assert_int_equal(result.failed, 2);
	assert_int_equal(result.size, 4);
	run_text(twice, LEAT_NUL, "1\n\0-22\0", 7, out, sizeof(out), LIMIT, &result);
	assert_string_equal(result.why, "");
	assert_int_equal(result.size, 6);
	assert_memory_equal(out, "2\0-44\0", 6);
	run_text(twice, LEAT_U32, "\2\0\0\00050\1\0\0\0001", 11, out, sizeof(out), LIMIT, &result);
	assert_string_equal(result.why, "");
	assert_int_equal(result.size, 12);
	assert_memory_equal(out, "\3\0\0\000100\1\0\0\0002", 12);
	c_function_close(twice);
}

static void runs_double(void **state)
{
	(void)state;
	struct c_function *half = open_text("#include <leat.h>\n"
					    "double half(double x) { return x / 2; }\n"
					    "LEAT_STAGE(half)\n",
	    "half");
	check_lines(
	    half, "1\n3e-7\n1e17\ninf\nnan\n-0\n", "0.5\n1.5e-07\n5e+16\ninf\nnan\n-0.0\n", 0, "");
	check_lines(half, "1\none\n", "0.5\n", 1, "not a number");
	c_function_close(half);
}

static void runs_integers_of_any_size(void **state)
{
	(void)state;
	struct c_function *square =
	    open_text("/* leat: -lgmp */\n"
		      "#include <gmp.h>\n"
		      "#include <leat.h>\n"
		      "void square(mpz_t r, const mpz_t n) { mpz_mul(r, n, n); }\n"
		      "LEAT_STAGE(square)\n",
		"square");
	check_lines(square, "3\n -40 \n+0\n", "9\n1600\n0\n", 0, "");
	check_lines(square, "100000000000000000000000000000\n",
	    "10000000000000000000000000000000000000000000000000000000000\n", 0, "");
	static const char *const bad[] = {"", " ", "1 2", "- 1", "+-1", "0x10", "1.0", "1_0"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[16];
		snprintf(line, sizeof(line), "%s\n", bad[i]);
		check_lines(square, line, "", 0, "not an integer");
	}
	c_function_close(square);
}

/* The first letter of a record says what becomes of it. */
static const char raw[] =
    "#include <leat.h>\n"
    "#include <string.h>\n"
    "int raw(const void *record, size_t size, struct leat_out *out)\n"
    "{\n"
    "	static char long_why[1000];\n"
    "	char big[101] = {0};\n"
    "	switch (size > 0 ? *(const char *)record : 0) {\n"
    "	case 'z': return 0;\n"
    "	case 'm': return leat_emit(out, record, size) || leat_emit(out, \"\", 0) ||\n"
    "			 leat_emit(out, record, 1);\n"
    "	case 'f': leat_emit(out, \"lost\", 4); return leat_fail(out, \"first\\nand second\");\n"
    "	case 'q': leat_fail(out, \"asked\"); leat_fail(out, \"again\"); return 0;\n"
    "	case 'e': return leat_fail(out, \"\");\n"
    "	case 'n': return leat_fail(out, NULL);\n"
    "	case 'l': return leat_fail(out, memset(long_why, 'x', sizeof(long_why) - 1));\n"
    "	case 'r': leat_emit(out, \"lost\", 4); return 42;\n"
    "	case 'b': return leat_emit(out, big, sizeof(big));\n"
    "	case 'i': leat_emit(out, big, sizeof(big)); leat_emit(out, record, size); return 0;\n"
    "	case 'N': return leat_emit(out, \"a\\nb\", 3);\n"
    "	case '0': return leat_emit(out, \"a\\0b\", 3);\n"
    "	}\n"
    "	return leat_emit(out, record, size);\n"
    "}\n"
    "LEAT_STAGE(raw)\n";

static void runs_raw(void **state)
{
	(void)state;
	struct c_function *native = open_text(raw, "raw");
	check_lines(native, "a\nz\nzz\nb\nc\n", "a\n", 3,
	    "gives a record of 101 bytes, over the limit of 100");
	check_lines(native, "z\nz\n", "", 0, "");
	check_lines(native, "mx\ny\n", "mx\n\nm\ny\n", 0, "");
	check_lines(native, "\n", "\n", 0, "");
	check_lines(native, "a\nf\nb\n", "a\n", 1, "first and second");
	check_lines(native, "q\n", "", 0, "asked");
	check_lines(native, "e\n", "", 0, "failed");
	check_lines(native, "n\n", "", 0, "failed");
	check_lines(native, "a\nr\n", "a\n", 1, "returned 42");
	check_lines(native, "i\n", "", 0, "gives a record of 101 bytes, over the limit of 100");
	check_lines(
	    native, "N\n", "", 0, "gives a record that holds a newline; use --frame nul or u32");
	char out[16];
	struct c_call_result result;
	run_text(native, LEAT_NEWLINE, "l\n", 2, out, sizeof(out), LIMIT, &result);
	assert_int_equal(strlen(result.why), sizeof(result.why) - 1);
	c_function_close(native);
}

static void keeps_the_framing(void **state)
{
	(void)state;
	struct c_function *native = open_text(raw, "raw");
	char out[64];
	struct c_call_result result;
	run_text(native, LEAT_NUL, "a\nb\0N\0z", 7, out, sizeof(out), LIMIT, &result);
	assert_string_equal(result.why, "");
	assert_int_equal(result.n_records, 2);
	assert_int_equal(result.size, 8);
	assert_memory_equal(out, "a\nb\0a\nb", 8);

	run_text(native, LEAT_NUL, "a\0000\0", 4, out, sizeof(out), LIMIT, &result);
	assert_string_equal(
	    result.why, "gives a record that holds a NUL byte; use --frame newline or u32");
	assert_int_equal(result.failed, 1);
	assert_int_equal(result.n_records, 1);

	run_text(native, LEAT_U32, "\1\0\0\0N\1\0\0\0000", 10, out, sizeof(out), LIMIT, &result);
	assert_string_equal(result.why, "");
	assert_int_equal(result.n_records, 2);
	assert_int_equal(result.size, 14);
	assert_memory_equal(out, "\3\0\0\0a\nb\3\0\0\0a\0b", 14);
	c_function_close(native);
}

static void says_when_the_output_is_full(void **state)
{
	(void)state;
	struct c_function *native = open_text(raw, "raw");
	char out[8];
	struct c_call_result result;
	run_text(native, LEAT_NEWLINE, "a\nmxx\nb\n", 8, out, sizeof(out), LIMIT, &result);
	assert_string_equal(result.why, "gives 7 bytes or more, of which 6 fit into memory beside "
					"what the records before it gave; raise --memory");
	assert_int_equal(result.failed, 1);
	assert_int_equal(result.n_records, 1);
	assert_int_equal(result.size, 2);
	run_text(native, LEAT_NEWLINE, "abc\ndef\n", 8, out, sizeof(out), LIMIT, &result);
	assert_string_equal(result.why, "");
	assert_int_equal(result.size, 8);
	c_function_close(native);
}

static void check_refused(const char *path, const char *function, int code, const char *text)
{
	struct c_function *native = NULL;
	struct leat_error error = {0};
	int r = c_function_open(path, function, "s", &native, &error);
	assert_null(native);
	assert_string_equal(error.text, text);
	assert_int_equal(r, code);
	assert_int_equal(error.status, LEAT_CANNOT_START);
}

static void says_what_a_source_lacks(void **state)
{
	(void)state;
	char *object = NULL;
	const char *path = scratch_write("fixture.c", integers);
	assert_int_equal(
	    compile_cache_cached(path, "s", scratch_include(), STDERR_FILENO, &object, NULL), 0);
	check_refused(object, "nothing", -ENOENT, "stage 's': fixture.c: no function 'nothing'");
	/* It is in the C library, which the object links. */
	check_refused(object, "abs", -ENOENT, "stage 's': fixture.c: no function 'abs'");
	check_refused(object, "plain", -ENOENT,
	    "stage 's': fixture.c has plain() but no LEAT_STAGE(plain): add that line");
	free(object);

	path = scratch_write("unlinked.c", "#include <leat.h>\n"
					   "int64_t other(int64_t);\n"
					   "int64_t f(int64_t n) { return other(n); }\n"
					   "LEAT_STAGE(f)\n");
	assert_int_equal(
	    compile_cache_cached(path, "s", scratch_include(), STDERR_FILENO, &object, NULL), 0);
	check_refused(object, "f", -ENOEXEC,
	    "stage 's': unlinked.c: undefined symbol: other; "
	    "name its library in a line such as /* leat: -lm */");
	free(object);
}

/* A function of the C library has the same name, and comes first for the dynamic linker. */
static void runs_its_own_function(void **state)
{
	(void)state;
	static const char text[] = "#include <leat.h>\n"
				   "int64_t times(int64_t n) { return 2 * n; }\n"
				   "LEAT_STAGE(times)\n"
				   "int64_t calls_times(int64_t n) { return times(n); }\n"
				   "LEAT_STAGE(calls_times)\n";
	struct c_function *native = open_text(text, "times");
	check_lines(native, "7\n", "14\n", 0, "");
	c_function_close(native);
	native = open_text(text, "calls_times");
	check_lines(native, "7\n", "14\n", 0, "");
	c_function_close(native);

	const char *own = scratch_path("own.so");
	char command[512];
	snprintf(command, sizeof(command), "cc -shared -fPIC -I'%s' -o '%s' '%s'",
	    scratch_include(), own, scratch_write("own.c", text));
	assert_int_equal(system(command), 0);
	assert_int_equal(c_function_open(own, "times", "s", &native, NULL), 0);
	check_lines(native, "7\n", "14\n", 0, "");
	c_function_close(native);
}

static void refuses_what_is_no_stage(void **state)
{
	(void)state;
	char *object = NULL;
	const char *path = scratch_write("odd.c",
	    "#include <leat.h>\n"
	    "const struct leat_stage leat_stage_old = {.abi = 99};\n"
	    "const struct leat_stage leat_stage_odd = {.abi = LEAT_STAGE_ABI, .kind = 9};\n"
	    "int64_t f(int64_t n) { return n + 1; }\n"
	    "LEAT_STAGE(f)\n");
	assert_int_equal(
	    compile_cache_cached(path, "s", scratch_include(), STDERR_FILENO, &object, NULL), 0);
	/* As a user's own shared object, named without a slash. */
	const char *own = scratch_path("own.so");
	assert_int_equal(rename(object, own), 0);
	free(object);
	assert_int_equal(chdir(scratch_path(".")), 0);
	check_refused("own.so", "old", -ENOEXEC,
	    "stage 's': own.so was built for version 99 of the stage interface, "
	    "this leat has 1: build it again");
	check_refused("own.so", "odd", -ENOEXEC,
	    "stage 's': own.so: leat_stage_odd is not what LEAT_STAGE(odd) makes");
	check_refused("gone.so", "f", -ENOENT,
	    "stage 's': gone.so: cannot open shared object file: No such file or directory");
	scratch_write("text.so", "a text that is longer than the header of an object is\n");
	check_refused("text.so", "f", -ENOEXEC, "stage 's': text.so: file too short");

	struct c_function *native = NULL;
	assert_int_equal(c_function_open("own.so", "f", "s", &native, NULL), 0);
	check_lines(native, "1\n", "2\n", 0, "");
	c_function_close(native);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCRATCH_TEST(runs_int64),
	    SCRATCH_TEST(frames_int64),
	    SCRATCH_TEST(runs_double),
	    SCRATCH_TEST(runs_integers_of_any_size),
	    SCRATCH_TEST(runs_raw),
	    SCRATCH_TEST(keeps_the_framing),
	    SCRATCH_TEST(says_when_the_output_is_full),
	    SCRATCH_TEST(says_what_a_source_lacks),
	    SCRATCH_TEST(runs_its_own_function),
	    SCRATCH_TEST(refuses_what_is_no_stage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
