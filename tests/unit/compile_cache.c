/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler of most of these is a script that notes each call and goes on to
 * the real one, so that a test knows whether anything was compiled.
 */
#include "compile_cache.h"

#include "cache_folder.h"

#include "scratch.h"

#include <leat/stage.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char source[] = "#include <leat.h>\n"
			     "#include \"factor.h\"\n"
			     "int64_t times(int64_t n) { return FACTOR * n; }\n"
			     "LEAT_STAGE(times)\n";

/* Runs before the real compiler in the noting one. */
static void use_noting_compiler(const char *first)
{
	char script[1024];
	snprintf(script, sizeof(script), "#!/bin/sh\necho call \"$@\" >>'%s'\n%s\nexec cc \"$@\"\n",
	    scratch_path("calls"), first);
	setenv("CC", scratch_script("noting", script), 1);
}

static int calls(void)
{
	int n = 0;
	for (const char *at = scratch_read("calls"); (at = strstr(at, "call ")); at++)
		n++;
	return n;
}

static int compile(const char *path, char **ret_object, struct leat_error *reterr)
{
	int fd = open(scratch_path("said"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	int r = compile_cache_cached(path, "s", scratch_include(), fd, ret_object, reterr);
	close(fd);
	return r;
}

/* Compiles it; calls() must be this afterwards. */
static char *check_compiles(const char *path, int n_calls)
{
	char *object = NULL;
	struct leat_error error = {0};
	if (compile(path, &object, &error) < 0)
		fail_msg("%s", error.text);
	assert_string_equal(scratch_read("said"), "");
	assert_int_equal(calls(), n_calls);
	assert_int_equal(access(object, R_OK), 0);
	assert_int_equal(scratch_cached(".d"), 0);
	return object;
}

static void compiles_once(void **state)
{
	(void)state;
	use_noting_compiler("");
	scratch_write("factor.h", "#define FACTOR 3\n");
	const char *path = scratch_write("times.c", source);
	char *first = check_compiles(path, 1);
	char *second = check_compiles(path, 1);
	assert_string_equal(first, second);
	size_t size;
	const char *shown = compile_cache_shown(first, &size);
	assert_int_equal(size, strlen("times.c"));
	assert_memory_equal(shown, "times.c", size);
	assert_int_equal(scratch_cached(""), 2);
	struct stat status;
	assert_int_equal(stat(scratch_path("leat"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	free(first);
	free(second);
}

static void compiles_what_changed(void **state)
{
	(void)state;
	use_noting_compiler("");
	scratch_write("factor.h", "#include \"inner.h\"\n");
	scratch_write("inner.h", "#define FACTOR 3\n");
	const char *path = scratch_write("times.c", source);
	char *three = check_compiles(path, 1);
	scratch_write("inner.h", "#define FACTOR 5\n");
	char *five = check_compiles(path, 2);
	assert_string_not_equal(three, five);
	scratch_write("inner.h", "#define FACTOR 3\n");
	char *again = check_compiles(path, 2);
	assert_string_equal(three, again);

	char changed[512];
	snprintf(changed, sizeof(changed), "%s/* changed */\n", source);
	scratch_write("times.c", changed);
	free(check_compiles(path, 3));
	setenv("CFLAGS", "-DUNUSED  -DALSO", 1);
	free(check_compiles(path, 4));
	assert_non_null(strstr(scratch_read("calls"), " -DUNUSED -DALSO "));
	unsetenv("CFLAGS");
	free(check_compiles(path, 4));
	free(three);
	free(five);
	free(again);
}

static void compiles_again_what_was_removed(void **state)
{
	(void)state;
	use_noting_compiler("");
	scratch_write("factor.h", "#define FACTOR 3\n");
	const char *path = scratch_write("times.c", source);
	char *object = check_compiles(path, 1);
	assert_int_equal(unlink(object), 0);
	free(check_compiles(path, 2));
	free(object);
}

/* The same file by another path, from another folder, is the same. */
static void knows_a_file_by_any_path(void **state)
{
	(void)state;
	use_noting_compiler("");
	scratch_write("factor.h", "#define FACTOR 3\n");
	const char *path = scratch_write("times.c", source);
	const char *include = scratch_include();
	char *first = NULL;
	assert_int_equal(mkdir(scratch_path("other"), 0700), 0);
	assert_int_equal(chdir(scratch_path("other")), 0);
	assert_int_equal(compile_cache_cached("../times.c", "s", include, -1, &first, NULL), 0);
	char *second = NULL;
	assert_int_equal(compile_cache_cached(path, "s", include, -1, &second, NULL), 0);
	assert_string_equal(first, second);
	assert_int_equal(calls(), 1);
	free(first);
	free(second);
}

static void links_what_the_source_names(void **state)
{
	(void)state;
	use_noting_compiler("");
	const char *path = scratch_write("linked.c", "\t/*leat: -lm  -ldl*/\n"
						     "// leat: -lpthread\n"
						     "/* other: -lnone1 */\n"
						     "int x; /* leat: -lnone2 */\n"
						     "/* leat: -lnone3\n"
						     "*/\n");
	free(check_compiles(path, 1));
	assert_non_null(strstr(scratch_read("calls"), "/linked.c -lm -ldl -lpthread\n"));
}

/* Blanks, and the names that the shell, make or the compiler take for something else. */
static void compiles_files_of_any_name(void **state)
{
	(void)state;
	static const char *const names[] = {"a b.c", "$x#y.c", "-c.c", "@c.c", "\xc3\xa4'\".c"};
	use_noting_compiler("");
	const char *include = scratch_include();
	assert_int_equal(chdir(scratch_path(".")), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "#include \"%zu b.h\"\n", i);
		char header[16];
		snprintf(header, sizeof(header), "%zu b.h", i);
		scratch_write(names[i], text);
		scratch_write(header, "int x;\n");
		for (int n = 0; n < 2; n++) {
			char *object = NULL;
			struct leat_error error;
			if (compile_cache_cached(names[i], "s", include, -1, &object, &error) < 0)
				fail_msg("%s", error.text);
			free(object);
			assert_int_equal(calls(), i + 1);
		}
	}
}

static void takes_a_compiler_of_several_words(void **state)
{
	(void)state;
	const char *path = scratch_write("x.c", "int x;\n");
	setenv("CC", "  env  X=1 cc ", 1);
	char *object = NULL;
	assert_int_equal(compile(path, &object, NULL), 0);
	free(object);
	setenv("CC", " ", 1);
	assert_int_equal(compile(path, &object, NULL), 0);
	free(object);
}

/* Nothing must be left behind by a failure, and nothing but this be said. */
static void check_fails(const char *path, int code, int status, const char *text)
{
	char *object = NULL;
	struct leat_error error = {0};
	int r = compile(path, &object, &error);
	assert_string_equal(error.text, text);
	assert_int_equal(r, code);
	assert_int_equal(error.status, status);
	assert_null(object);
	assert_int_equal(scratch_cached(""), 0);
}

static void says_why_it_does_not_compile(void **state)
{
	(void)state;
	const char *path = scratch_write("bad.c", "int x;\nint f(void) { return y; }\n");
	char text[512];
	snprintf(text, sizeof(text),
	    "stage 's': %s does not compile (cc exited with status 1); first error: %s:2", path,
	    path);
	check_fails(path, -ENOEXEC, LEAT_CANNOT_START, text);
	assert_non_null(strstr(scratch_read("said"), "error:"));

	path = scratch_write("missing.c", "#include \"missing.h\"\n");
	snprintf(text, sizeof(text),
	    "stage 's': %s does not compile (cc exited with status 1); first error: %s:1", path,
	    path);
	check_fails(path, -ENOEXEC, LEAT_CANNOT_START, text);

	path = scratch_write("unlinked.c", "// leat: -lthere_is_no_such_library\n");
	snprintf(
	    text, sizeof(text), "stage 's': %s does not compile (cc exited with status 1)", path);
	check_fails(path, -ENOEXEC, LEAT_CANNOT_START, text);

	const char *killed = scratch_script("killed", "#!/bin/sh\nkill -KILL $$\n");
	setenv("CC", killed, 1);
	snprintf(text, sizeof(text), "stage 's': %s does not compile (%s was killed by signal 9)",
	    path, killed);
	check_fails(path, -ENOEXEC, LEAT_CANNOT_START, text);
}

static void says_what_is_missing(void **state)
{
	(void)state;
	const char *path = scratch_write("x.c", "int x;\n");
	setenv("CC", "no-such-compiler -x", 1);
	check_fails(path, -ENOENT, LEAT_CANNOT_START,
	    "stage 's': no-such-compiler: not found; install a C compiler or set CC");
	unsetenv("CC");
	check_fails(
	    "gone.c", -ENOENT, LEAT_CANNOT_START, "stage 's': gone.c: No such file or directory");
	check_fails("/dev", -EISDIR, LEAT_CANNOT_START, "stage 's': /dev: Is a directory");
}

static volatile sig_atomic_t interrupts;

static void note_interrupt(int signal)
{
	(void)signal;
	interrupts++;
}

/* As Ctrl-C does: both the compiler and this process get the signal. */
static void cleans_up_when_interrupted(void **state)
{
	(void)state;
	use_noting_compiler("kill -INT $PPID; kill -INT $$");
	const char *path = scratch_write("x.c", "int x;\n");
	struct sigaction note = {.sa_handler = note_interrupt};
	struct sigaction before;
	assert_int_equal(sigaction(SIGINT, &note, &before), 0);
	char text[256];
	snprintf(text, sizeof(text), "stage 's': stopped while %s was being compiled", path);
	check_fails(path, -EINTR, LEAT_INTERRUPTED, text);
	assert_int_equal(interrupts, 1);
	assert_string_equal(scratch_read("said"), "");
	assert_int_equal(sigaction(SIGINT, &before, NULL), 0);
}

/* The first call finds one header and leaves another. */
static void compiles_again_what_changed_meanwhile(void **state)
{
	(void)state;
	scratch_write("factor.h", "#define FACTOR 3\n");
	char first[512];
	snprintf(first, sizeof(first),
	    "if [ ! -e '%s' ]; then\n"
	    "	cc \"$@\"; echo '#define FACTOR 5' >'%s'; touch '%s'; exit 0\n"
	    "fi",
	    scratch_path("touched"), scratch_path("factor.h"), scratch_path("touched"));
	use_noting_compiler(first);
	const char *path = scratch_write("times.c", source);
	char *object = check_compiles(path, 2);
	void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
	assert_non_null(handle);
	const struct leat_stage *stage = dlsym(handle, "leat_stage_times");
	assert_non_null(stage);
	assert_int_equal(((int64_t(*)(int64_t))stage->function)(7), 35);
	dlclose(handle);
	free(object);
}

/* In a process of its own: 0 if it compiled. */
static pid_t compile_in_child(const char *path, const int *start)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char byte;
		char *object = NULL;
		close(start[1]);
		bool good = read(start[0], &byte, 1) == 0 &&
			    compile_cache_cached(
				path, "s", scratch_include(), STDERR_FILENO, &object, NULL) == 0 &&
			    dlopen(object, RTLD_NOW | RTLD_LOCAL);
		_exit(good ? 0 : 1);
	}
	return pid;
}

static void compiles_in_several_processes_at_once(void **state)
{
	(void)state;
	scratch_write("factor.h", "#define FACTOR 3\n");
	const char *path = scratch_write("times.c", source);
	/* All start when the last writing end is closed. */
	int start[2];
	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	pid_t pids[4];
	for (int i = 0; i < 4; i++)
		pids[i] = compile_in_child(path, start);
	close(start[1]);
	for (int i = 0; i < 4; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close(start[0]);
	assert_int_equal(scratch_cached(".so"), 1);
	assert_int_equal(scratch_cached(".deps"), 1);
	assert_int_equal(scratch_cached(""), 2);
}

static void needs_a_folder_of_its_own(void **state)
{
	(void)state;
	const char *path = scratch_write("x.c", "int x;\n");
	const char *cache = scratch_path(".");
	char *object = NULL;
	/* Without one, or where it cannot be made, it is a temporary one. */
	unsetenv("HOME");
	setenv("TMPDIR", cache, 1);
	/* By its specification, a relative one counts as none. */
	const char *const useless[] = {"relative", path};
	for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
		setenv("XDG_CACHE_HOME", useless[i], 1);
		assert_int_equal(compile(path, &object, NULL), 0);
		const char *slash = strstr(object, "leat-stage-");
		assert_non_null(slash);
		assert_int_equal(access(object, R_OK), 0);
		cache_folder_close(object);
		assert_int_equal(access(object, F_OK), -1);
		free(object);
	}
	unsetenv("TMPDIR");
	setenv("XDG_CACHE_HOME", "relative", 1);

	setenv("HOME", scratch_path("made/home"), 1);
	assert_int_equal(compile(path, &object, NULL), 0);
	const char *expected = scratch_path("made/home/.cache/leat/x.c-");
	assert_memory_equal(object, expected, strlen(expected));
	free(object);

	char text[256];
	setenv("XDG_CACHE_HOME", cache, 1);
	assert_int_equal(mkdir(scratch_path("leat"), 0700), 0);
	assert_int_equal(chmod(scratch_path("leat"), 0770), 0);
	snprintf(text, sizeof(text),
	    "stage 's': the cache folder %s/leat is not yours alone to write in; "
	    "set XDG_CACHE_HOME to another",
	    cache);
	check_fails(path, -EPERM, LEAT_CANNOT_START, text);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCRATCH_TEST(compiles_once),
	    SCRATCH_TEST(compiles_what_changed),
	    SCRATCH_TEST(compiles_again_what_was_removed),
	    SCRATCH_TEST(compiles_again_what_changed_meanwhile),
	    SCRATCH_TEST(compiles_files_of_any_name),
	    SCRATCH_TEST(compiles_in_several_processes_at_once),
	    SCRATCH_TEST(knows_a_file_by_any_path),
	    SCRATCH_TEST(links_what_the_source_names),
	    SCRATCH_TEST(takes_a_compiler_of_several_words),
	    SCRATCH_TEST(says_why_it_does_not_compile),
	    SCRATCH_TEST(says_what_is_missing),
	    SCRATCH_TEST(cleans_up_when_interrupted),
	    SCRATCH_TEST(needs_a_folder_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
