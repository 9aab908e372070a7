/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include "fd.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

/* A script whose stdout can be read, with descriptors of the test's own above it. */
struct script {
	struct child child;
	int in;	 /* its stdin's other end */
	int out; /* its stdout's */
};

static int script_start(struct script *script, const char *text, const int *more, int n_more)
{
	int in[2];
	int out[2];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	int map[CHILD_MAP_MAX] = {in[0], out[1], STDERR_FILENO};
	for (int i = 0; i < n_more; i++)
		map[3 + i] = more[i];
	char *argv[] = {"sh", "-c", (char *)text, NULL};
	struct child_setup setup = {.argv = argv, .map = map, .n_map = 3 + n_more};
	int r = child_start(&script->child, &setup);
	close(in[0]);
	close(out[1]);
	script->in = in[1];
	script->out = out[0];
	return r;
}

static void script_open(struct script *script, const char *text)
{
	assert_int_equal(script_start(script, text, NULL, 0), 0);
}

/* Waits until something can be read, or nobody is left who could write. */
static void await(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&item, 1, PATIENCE_MS), 1);
}

/* Reads to the end, which is when the last process that can write has gone. */
static char *script_read(struct script *script)
{
	static char text[4096];
	size_t size = 0;
	ssize_t n;
	do {
		await(script->out);
		n = read(script->out, text + size, sizeof(text) - 1 - size);
		assert_true(n >= 0);
		size += (size_t)n;
	} while (n > 0);
	text[size] = '\0';
	return text;
}

/* Reads one line of a script that goes on. */
static void script_await(struct script *script, const char *line)
{
	char text[64] = "";
	for (size_t size = 0; size == 0 || text[size - 1] != '\n'; size++) {
		await(script->out);
		assert_int_equal(read(script->out, text + size, 1), 1);
	}
	assert_string_equal(text, line);
}

static void script_reap(struct script *script)
{
	/* The descriptor is gone once it has been reaped. */
	if (script->child.pid)
		await(script->child.pidfd);
	assert_true(child_reap(&script->child));
}

static void script_close(struct script *script)
{
	child_end(&script->child);
	close(script->in);
	close(script->out);
}

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void runs_to_its_end(void **state)
{
	(void)state;
	struct script script;
	script_open(&script, "read line; echo \"got $line\"");
	pid_t pid = script.child.pid;
	assert_true(pid > 0);
	assert_false(child_reap(&script.child));
	assert_int_equal(fcntl(script.child.pidfd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fd_write(script.in, "this\n", 5), 0);
	assert_string_equal(script_read(&script), "got this\n");
	script_reap(&script);
	assert_int_equal(script.child.pid, 0);
	assert_int_equal(script.child.started_pid, pid);
	assert_int_equal(script.child.pidfd, -1);
	assert_int_equal(script.child.status, 0);
	assert_true(script.child.usage.ru_maxrss > 0);
	assert_true(script.child.start_ns > 0);
	assert_true(script.child.end_ns > script.child.start_ns);
	/* Once more changes nothing. */
	assert_true(child_reap(&script.child));
	child_kill(&script.child, SIGKILL);
	script_close(&script);
	assert_no_child();
}

static void counts_what_it_has_read_and_written(void **state)
{
	(void)state;
	struct script script;
	script_open(&script, "read line; head -c 100000 /dev/zero >/dev/null; exit $line");
	assert_int_equal(fd_write(script.in, "1\n", 2), 0);
	script_reap(&script);
	/* Nobody has asked. */
	assert_false(script.child.io.known);
	script_close(&script);
	script_open(&script, "read line; head -c 100000 /dev/zero >/dev/null; exit $line");
	script.child.counts_io = true;
	assert_int_equal(fd_write(script.in, "1\n", 2), 0);
	script_reap(&script);
	/* A kernel without the count has no such file. */
	assert_int_equal(script.child.io.known, access("/proc/self/io", R_OK) == 0);
	if (script.child.io.known) {
		assert_true(script.child.io.read_bytes > 100000);
		assert_int_equal(script.child.io.written_bytes, 100000);
	}
	script_close(&script);
}

/* A descriptor above 20 from which this text can be read. */
static int text_fd(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 20);
	assert_true(high >= 20);
	assert_int_equal(fd_write(fd, text, strlen(text)), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	close(fd);
	return high;
}

/* Each stands where another one has to go: 4, 5, 3 become 3, 4, 5. */
static void maps_descriptors_that_are_in_each_others_way(void **state)
{
	(void)state;
	struct script script;
	static const int more[] = {4, 5, 3};
	int high[] = {text_fd("a\n"), text_fd("b\n"), text_fd("c\n")};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dup3(high[i], more[i], O_CLOEXEC), more[i]);
		close(high[i]);
	}
	assert_int_equal(script_start(&script, "cat <&3; cat <&4; cat <&5", more, 3), 0);
	for (int i = 0; i < 3; i++)
		close(more[i]);
	assert_string_equal(script_read(&script), "a\nb\nc\n");
	script_close(&script);
}

static void gives_no_other_descriptor(void **state)
{
	(void)state;
	struct script script;
	int more[] = {STDERR_FILENO};
	int another = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(script_start(&script, "exec ls /proc/self/fd", more, 1), 0);
	/* The last is the folder that it lists. */
	assert_string_equal(script_read(&script), "0\n1\n2\n3\n4\n");
	close(another);
	script_close(&script);
}

/* As the program is when it starts a stage: with signals blocked and ignored. */
static void resets_signals(void **state)
{
	(void)state;
	static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGTSTP, SIGQUIT};
	struct script script;
	sigset_t set;
	sigset_t before;
	sigset_t after;
	sigfillset(&set);
	sigdelset(&set, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		signal(ours[i], SIG_IGN);
	script_open(&script, "exec cat /proc/self/status");
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, &after), 0);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		signal(ours[i], SIG_DFL);
		assert_int_equal(sigismember(&after, ours[i]), 1);
	}
	/* The caller's own mask is as it was. */
	assert_int_equal(sigismember(&after, SIGUSR1), 0);
	const char *status = script_read(&script);
	unsigned long long blocked = 1;
	unsigned long long ignored = 0;
	assert_int_equal(sscanf(strstr(status, "SigBlk:"), "SigBlk: %llx", &blocked), 1);
	assert_int_equal(sscanf(strstr(status, "SigIgn:"), "SigIgn: %llx", &ignored), 1);
	assert_int_equal(blocked, 0);
	/* What the caller ignores stays ignored, but for what every run ignores itself. */
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		assert_int_equal(ignored >> (ours[i] - 1) & 1, ours[i] != SIGPIPE);
	script_reap(&script);
	script_close(&script);
}

static void leads_a_group_of_its_own(void **state)
{
	(void)state;
	struct script script;
	script_open(&script, "echo ready; read line");
	script_await(&script, "ready\n");
	assert_int_equal(getpgid(script.child.pid), script.child.pid);
	script_close(&script);
}

static const char grandchild[] = "(trap '' TERM; echo ready; sleep 1000) & read line; exit $line";

static void ends_with_all_it_has_started(void **state)
{
	(void)state;
	struct script script;
	script_open(&script, grandchild);
	script_await(&script, "ready\n");
	child_end(&script.child);
	assert_string_equal(script_read(&script), "");
	assert_int_equal(WTERMSIG(script.child.status), SIGKILL);
	script_close(&script);
	assert_no_child();
}

static void a_signal_reaches_all_it_has_started(void **state)
{
	(void)state;
	struct script script;
	script_open(&script, "(echo ready; exec sleep 1000) & wait");
	script_await(&script, "ready\n");
	child_kill(&script.child, SIGTERM);
	assert_string_equal(script_read(&script), "");
	script_reap(&script);
	assert_int_equal(WTERMSIG(script.child.status), SIGTERM);
	script_close(&script);
}

static void a_bad_end_takes_what_it_has_started_along(void **state)
{
	(void)state;
	struct script script;
	script_open(&script, grandchild);
	script_await(&script, "ready\n");
	assert_int_equal(fd_write(script.in, "3\n", 2), 0);
	script_reap(&script);
	assert_string_equal(script_read(&script), "");
	assert_int_equal(WEXITSTATUS(script.child.status), 3);
	script_close(&script);
}

/* `gzip > file &` at the end of a command may finish its work. */
static void a_good_end_leaves_what_it_has_started(void **state)
{
	(void)state;
	struct script script;
	script_open(&script, "exec 3<&0; (read line <&3; echo \"still there, $line\") & exit 0");
	script_reap(&script);
	assert_int_equal(fd_write(script.in, "yes\n", 4), 0);
	assert_string_equal(script_read(&script), "still there, yes\n");
	script_close(&script);
}

/*
 * ThreadSanitizer makes a vfork a fork: the thread that started it may end before the
 * child has asked to end with it.
 */
#ifndef __SANITIZE_THREAD__

static void *start_and_leave(void *argument)
{
	static char *argv[] = {"sleep", "1000", NULL};
	struct script *script = argument;
	int out[2];
	if (pipe2(out, O_CLOEXEC) < 0)
		return NULL;
	int map[] = {STDIN_FILENO, out[1], STDERR_FILENO};
	struct child_setup setup = {.argv = argv, .map = map, .n_map = 3};
	script->out = out[0];
	int r = child_start(&script->child, &setup);
	close(out[1]);
	return r == 0 ? script : NULL;
}

static void dies_with_the_thread_that_started_it(void **state)
{
	(void)state;
	struct script script = {.in = -1};
	pthread_t thread;
	void *started = NULL;
	assert_int_equal(pthread_create(&thread, NULL, start_and_leave, &script), 0);
	assert_int_equal(pthread_join(thread, &started), 0);
	assert_ptr_equal(started, &script);
	assert_string_equal(script_read(&script), "");
	script_reap(&script);
	assert_int_equal(WTERMSIG(script.child.status), SIGKILL);
	close(script.out);
}

#endif

static int start(const char *program, int fd)
{
	char *argv[] = {(char *)program, NULL};
	struct child child = {.pid = 77};
	struct child_setup setup = {.argv = argv, .map = &fd, .n_map = 1};
	int r = child_start(&child, &setup);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.pidfd, -1);
	child_end(&child);
	assert_no_child();
	return r;
}

static void says_why_it_cannot_start(void **state)
{
	(void)state;
	assert_int_equal(start("leat-has-no-such-program", 0), -ENOENT);
	assert_int_equal(start(scratch_path("none"), 0), -ENOENT);
	assert_int_equal(start(scratch_path(""), 0), -EACCES);
	assert_int_equal(start(scratch_write("plain", "text"), 0), -EACCES);
	assert_int_equal(start(scratch_script("bad", "#!/leat/has/no/such/shell\n"), 0), -ENOENT);
	assert_int_equal(start("true", 987), -EBADF);
}

static void nothing_can_be_ended(void **state)
{
	(void)state;
	struct child child = {0};
	child_end(&child);
	child_kill(&child, SIGKILL);
	assert_true(child_reap(&child));
}

static void says_how_it_ended(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *text;
	} cases[] = {
	    {W_EXITCODE(0, 0), "exited with status 0"},
	    {W_EXITCODE(255, 0), "exited with status 255"},
	    {W_EXITCODE(0, SIGSEGV), "was killed by SIGSEGV"},
	    {W_EXITCODE(0, SIGABRT) | WCOREFLAG, "was killed by SIGABRT"},
	    {W_EXITCODE(0, SIGKILL), "was killed by SIGKILL (out of memory, or kill -9)"},
	    {W_EXITCODE(0, 40), "was killed by signal 40"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct child child = {.status = cases[i].status};
		char text[128];
		child_describe(&child, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
	struct child child = {.status = W_EXITCODE(0, SIGKILL)};
	char small[10];
	child_describe(&child, small, sizeof(small));
	assert_string_equal(small, "was kille");
}

int main(void)
{
	/* What this was started with stays out of the way. */
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_to_its_end),
	    cmocka_unit_test(counts_what_it_has_read_and_written),
	    cmocka_unit_test(maps_descriptors_that_are_in_each_others_way),
	    cmocka_unit_test(gives_no_other_descriptor),
	    cmocka_unit_test(resets_signals),
	    cmocka_unit_test(leads_a_group_of_its_own),
	    cmocka_unit_test(ends_with_all_it_has_started),
	    cmocka_unit_test(a_signal_reaches_all_it_has_started),
	    cmocka_unit_test(a_bad_end_takes_what_it_has_started_along),
	    cmocka_unit_test(a_good_end_leaves_what_it_has_started),
#ifndef __SANITIZE_THREAD__
	    cmocka_unit_test(dies_with_the_thread_that_started_it),
#endif
	    cmocka_unit_test_setup_teardown(
		says_why_it_cannot_start, scratch_setup, scratch_teardown),
	    cmocka_unit_test(nothing_can_be_ended),
	    cmocka_unit_test(says_how_it_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
