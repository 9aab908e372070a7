/* SPDX-License-Identifier: Apache-2.0 */
#include "input_wait.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* ThreadSanitizer has a thread of its own in each process, which sleeps. */
#ifdef __SANITIZE_THREAD__
#define SLEEPS_BESIDE true
#else
#define SLEEPS_BESIDE false
#endif

/* A child in a group of its own, whose stdin is a pipe that nobody writes to. */
struct sleeper {
	pid_t pid;
	int input;
};

static void sleeper_read(void)
{
	char byte;
	(void)!read(STDIN_FILENO, &byte, 1);
}

static void *sleeper_reads(void *unused)
{
	sleeper_read();
	return unused;
}

static void *sleeper_sleeps(void *unused)
{
	pause();
	return unused;
}

static void sleeper_join(void *(*thread)(void *))
{
	pthread_t other;
	if (pthread_create(&other, NULL, thread, NULL) == 0)
		pthread_join(other, NULL);
}

/* What it does. */
static void reads(void)
{
	sleeper_read();
}

static void sleeps(void)
{
	pause();
}

static void waits_for_a_thread_that_reads(void)
{
	sleeper_join(sleeper_reads);
}

static void reads_beside_a_thread_that_sleeps(void)
{
	pthread_t other;
	if (pthread_create(&other, NULL, sleeper_sleeps, NULL) == 0)
		sleeper_read();
}

static void waits_for_a_child_that_reads(void)
{
	pid_t pid = fork();
	if (pid == 0)
		sleeper_read();
	else
		waitpid(pid, NULL, 0);
}

static void waits_for_a_child_that_sleeps(void)
{
	pid_t pid = fork();
	if (pid == 0)
		pause();
	else
		waitpid(pid, NULL, 0);
}

static void waits_for_a_thread_that_sleeps(void)
{
	sleeper_join(sleeper_sleeps);
}

static struct sleeper sleeper_start(void (*does)(void))
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setpgid(0, 0);
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		does();
		_exit(0);
	}
	setpgid(pid, pid);
	close(ends[0]);
	return (struct sleeper){pid, ends[1]};
}

static void sleeper_end(const struct sleeper *sleeper)
{
	kill(-sleeper->pid, SIGKILL);
	waitpid(sleeper->pid, NULL, 0);
	close(sleeper->input);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* It begins a moment after it was started. */
static bool comes_to_wait(const struct sleeper *sleeper)
{
	for (int i = 0; i < 10000; i++) {
		if (input_wait_in_read(sleeper->pid))
			return true;
		nap();
	}
	return false;
}

static void knows_who_waits_for_input(void **state)
{
	static void (*const cases[])(void) = {
	    reads, waits_for_a_thread_that_reads, waits_for_a_child_that_reads};
	(void)state;
	for (size_t i = 0; !SLEEPS_BESIDE && i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sleeper sleeper = sleeper_start(cases[i]);
		assert_true(comes_to_wait(&sleeper));
		sleeper_end(&sleeper);
	}
}

static void takes_nobody_else_for_one(void **state)
{
	static void (*const cases[])(void) = {sleeps, reads_beside_a_thread_that_sleeps,
	    waits_for_a_child_that_sleeps, waits_for_a_thread_that_sleeps};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sleeper sleeper = sleeper_start(cases[i]);
		/* Time enough to begin. */
		for (int k = 0; k < 100; k++)
			nap();
		assert_false(input_wait_in_read(sleeper.pid));
		sleeper_end(&sleeper);
	}
	assert_false(input_wait_in_read(getpid() == 1 ? 2 : 1));
}

static void knows_the_state_of_a_process(void **state)
{
	(void)state;
	struct sleeper sleeper = sleeper_start(sleeps);
	kill(sleeper.pid, SIGSTOP);
	waitpid(sleeper.pid, NULL, WUNTRACED);
	assert_int_equal(input_wait_state(sleeper.pid), 'T');
	kill(sleeper.pid, SIGKILL);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)sleeper.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(input_wait_state(sleeper.pid), 'Z');
	sleeper_end(&sleeper);
	assert_int_equal(input_wait_state(sleeper.pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_who_waits_for_input),
	    cmocka_unit_test(takes_nobody_else_for_one),
	    cmocka_unit_test(knows_the_state_of_a_process),
	};
	return cmocka_run_group_tests_name("blocked", tests, NULL, NULL);
}
