/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each case is a process of its own that crashes, forked while there is one thread;
 * its exit status says what became of it.
 */
#include "crash_handler.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CAUGHT 40 /* and the signal's number */

static int status_of(void (*body)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit none = {0};
		setrlimit(RLIMIT_CORE, &none);
		alarm(20);
		crash_handler_watch();
		body();
		_exit(0);
	}
	int status = 0;
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int crash_number;

/* As a worker does it. */
static void crash_in_a_function(void)
{
	int number = sigsetjmp(*crash_handler_point(), 0);
	if (number == 0) {
		crash_handler_arm();
		raise(crash_number);
		crash_handler_disarm();
	} else {
		_exit(CAUGHT + number);
	}
}

static void crash_twice(void)
{
	for (volatile int i = 0; i < 2; i++) {
		int number = sigsetjmp(*crash_handler_point(), 0);
		if (number == 0) {
			crash_handler_arm();
			raise(SIGSEGV);
		} else if (i == 1) {
			_exit(CAUGHT + number);
		}
	}
}

static void crash_elsewhere(void)
{
	if (sigsetjmp(*crash_handler_point(), 0) == 0) {
		crash_handler_arm();
		crash_handler_disarm();
		raise(SIGSEGV);
	}
}

static int deepen(volatile int *depth)
{
	volatile char frame[4096];
	frame[0] = (char)*depth;
	/* Never true, which the compiler does not know. */
	if ((*depth)++ < 0)
		return 0;
	return deepen(depth) + frame[0];
}

static void overflow_the_stack(void)
{
	volatile int depth = 0;
	(void)crash_handler_thread_begin();
	int number = sigsetjmp(*crash_handler_point(), 0);
	if (number == 0) {
		crash_handler_arm();
		(void)deepen(&depth);
	} else {
		_exit(CAUGHT + number);
	}
}

static void a_crash_leads_back(void **state)
{
	(void)state;
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		crash_number = numbers[i];
		int status = status_of(crash_in_a_function);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), CAUGHT + numbers[i]);
	}
	assert_int_equal(WEXITSTATUS(status_of(crash_twice)), CAUGHT + SIGSEGV);
	assert_int_equal(WEXITSTATUS(status_of(overflow_the_stack)), CAUGHT + SIGSEGV);
}

static void elsewhere_it_kills(void **state)
{
	(void)state;
	int status = status_of(crash_elsewhere);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	crash_number = SIGTERM;
	status = status_of(crash_in_a_function);
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_crash_leads_back),
	    cmocka_unit_test(elsewhere_it_kills),
	};
	/* A sanitizer handles crashes itself: nothing of ours is there to test. */
	if (crash_handler_has_sanitizer()) {
		puts("1..0 # SKIP a sanitizer handles crashes");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
