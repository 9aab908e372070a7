/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each case is a process that crashes, so that what it says and how it ends can be
 * looked at. It is forked while there is one thread.
 */
#include "crash.h"

#include "asleep.h"
#include "claim.h"
#include "slot.h"
#include "tiny_ring.h"

#include <leat/error.h>

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const int deaths[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

/* A process that runs the body and shall die of it. */
struct victim {
	pid_t pid;
	int err; /* what it writes to its stderr */
	int status;
	char said[512];
};

static void victim_start(
    struct victim *victim, void (*body)(struct region *), struct region *region)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	victim->pid = fork();
	if (victim->pid == 0) {
		const struct rlimit none = {0};
		setrlimit(RLIMIT_CORE, &none);
		dup2(ends[1], STDERR_FILENO);
		/* cmocka's own handlers are not for it. */
		for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
			signal(deaths[i], SIG_DFL);
		alarm(20);
		body(region);
		_exit(77);
	}
	assert_true(victim->pid > 0);
	close(ends[1]);
	victim->err = ends[0];
}

static void victim_end(struct victim *victim)
{
	size_t size = 0;
	ssize_t n;
	while ((n = read(victim->err, victim->said + size, sizeof(victim->said) - 1 - size)) > 0)
		size += (size_t)n;
	victim->said[size] = '\0';
	close(victim->err);
	assert_int_equal(waitpid(victim->pid, &victim->status, 0), victim->pid);
}

static void die_in_a_stage(struct region *region, uint64_t seq, int signal_number)
{
	crash_watch();
	crash_enter(region, seq, 2);
	raise(signal_number);
}

static void by_segv(struct region *region)
{
	die_in_a_stage(region, 0, SIGSEGV);
}

static void by_bus(struct region *region)
{
	die_in_a_stage(region, 0, SIGBUS);
}

static void by_fpe(struct region *region)
{
	die_in_a_stage(region, 0, SIGFPE);
}

static void by_ill(struct region *region)
{
	die_in_a_stage(region, 0, SIGILL);
}

static void assert_said(const struct victim *victim, const char *name, const char *record)
{
	char expected[256];
	assert_true(WIFEXITED(victim->status));
	assert_int_equal(WEXITSTATUS(victim->status), LEAT_STOPPED);
	snprintf(expected, sizeof(expected),
	    "leat: stage 'b': crashed with %s, record %s; it ran inside the run's own process: -m "
	    "processes gives it its own\n",
	    name, record);
	assert_string_equal(victim->said, expected);
}

static void names_the_stage_and_the_record(void **state)
{
	(void)state;
	static void (*const bodies[])(struct region *) = {by_segv, by_bus, by_fpe, by_ill};
	static const char *const names[] = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"};
	struct region region = tiny_ring(2, 2);
	for (size_t i = 0; i < 4; i++) {
		struct victim victim;
		slot_at(&region, 0)->first_record = 1234567890123456789;
		victim_start(&victim, bodies[i], &region);
		victim_end(&victim);
		assert_said(&victim, names[i], "1234567890123456789");
	}
	region_free(&region);
}

static void by_segv_behind_another(struct region *region)
{
	die_in_a_stage(region, 1, SIGSEGV);
}

static void by_segv_behind_a_stuck_one(struct region *region)
{
	die_in_a_stage(region, 3, SIGSEGV);
}

/* It sleeps until the batch before it has been written. */
static void lets_out_what_came_before(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 2);
	struct victim victim;
	slot_at(&region, 1)->first_record = 2;
	slot_at(&region, 0)->state = 0;
	for (unsigned position = 0; position < 3; position++)
		ring_advance(&region, 0, position);
	victim_start(&victim, by_segv_behind_another, &region);
	asleep_await(victim.pid);
	assert_int_equal(waitpid(victim.pid, NULL, WNOHANG), 0);
	ring_advance(&region, 0, 3);
	victim_end(&victim);
	assert_said(&victim, "SIGSEGV", "2");

	/* But not for ever: batch 2 stays where it is. */
	slot_at(&region, 3)->first_record = 4;
	victim_start(&victim, by_segv_behind_a_stuck_one, &region);
	victim_end(&victim);
	assert_said(&victim, "SIGSEGV", "4");
	region_free(&region);
}

/* Deeper than any stack; the condition keeps the compiler from seeing that it never ends. */
__attribute__((noinline)) static int overflow(volatile const char *before)
{
	volatile char here[4096];
	here[0] = *before;
	return *before ? overflow(here) + here[0] : 0;
}

static void *overflow_in_a_thread(void *argument)
{
	char start = 'x';
	void *stack = crash_thread_begin();
	crash_enter(argument, 0, 2);
	(void)overflow(&start);
	crash_thread_end(stack);
	return NULL;
}

static void by_overflow(struct region *region)
{
	pthread_t thread;
	crash_watch();
	pthread_create(&thread, NULL, overflow_in_a_thread, region);
	pthread_join(thread, NULL);
}

static void has_a_stack_of_its_own(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 2);
	struct victim victim;
	slot_at(&region, 0)->first_record = 1;
	victim_start(&victim, by_overflow, &region);
	victim_end(&victim);
	assert_said(&victim, "SIGSEGV", "1");
	region_free(&region);
}

static void outside_a_stage_body(struct region *region)
{
	crash_watch();
	crash_enter(region, 0, 2);
	crash_leave();
	raise(SIGSEGV);
}

static void after_unwatch_body(struct region *region)
{
	crash_watch();
	crash_unwatch();
	crash_enter(region, 0, 2);
	raise(SIGSEGV);
}

/* What crashes by itself is none of a stage's doing, and dies as it would have. */
static void outside_a_stage_it_is_an_ordinary_death(void **state)
{
	(void)state;
	struct region region = tiny_ring(2, 2);
	struct victim victim;
	victim_start(&victim, outside_a_stage_body, &region);
	victim_end(&victim);
	assert_true(WIFSIGNALED(victim.status));
	assert_int_equal(WTERMSIG(victim.status), SIGSEGV);
	assert_string_equal(victim.said, "");
	victim_start(&victim, after_unwatch_body, &region);
	victim_end(&victim);
	assert_true(WIFSIGNALED(victim.status));
	assert_string_equal(victim.said, "");
	region_free(&region);
}

static void a_sanitizer_keeps_its_handlers(void **state)
{
	(void)state;
	struct sigaction before;
	struct sigaction after;
	assert_int_equal(sigaction(SIGSEGV, NULL, &before), 0);
	crash_watch();
	assert_int_equal(sigaction(SIGSEGV, NULL, &after), 0);
	crash_unwatch();
	assert_ptr_equal(before.sa_handler, after.sa_handler);
}

int main(void)
{
	const struct CMUnitTest sanitized[] = {
	    cmocka_unit_test(a_sanitizer_keeps_its_handlers),
	};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_the_stage_and_the_record),
	    cmocka_unit_test(lets_out_what_came_before),
	    cmocka_unit_test(has_a_stack_of_its_own),
	    cmocka_unit_test(outside_a_stage_it_is_an_ordinary_death),
	};
	if (crash_has_sanitizer())
		return cmocka_run_group_tests(sanitized, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
