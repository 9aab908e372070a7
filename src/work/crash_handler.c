/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_handler.h"

#include "forked.h"

#include <signal.h>
#include <stdlib.h>

#define CRASH_STACK (64u << 10)

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define CRASH_N (sizeof(crash_signals) / sizeof(crash_signals[0]))

static struct sigaction crash_before[CRASH_N];

static _Thread_local sigjmp_buf crash_here;
static _Thread_local volatile sig_atomic_t crash_armed;
static _Thread_local int crash_exit_status;

bool crash_handler_has_sanitizer(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

/* A function that calls exit() would end the run without a word. */
static void crash_handler_exiting(int status, void *context)
{
	(void)context;
	/* A child that the function forked ends as it likes; relaxed: see forked_check. */
	if (!crash_armed || atomic_load_relaxed(&forked_is_child))
		return;
	/* The C library has taken this one off its list. */
	(void)on_exit(crash_handler_exiting, NULL);
	crash_armed = 0;
	crash_exit_status = status;
	siglongjmp(crash_here, CRASH_EXIT);
}

static void crash_handler_handle(int number)
{
	if (!crash_armed) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	crash_armed = 0;
	siglongjmp(crash_here, number);
}

int crash_handler_exit_status(void)
{
	return crash_exit_status;
}

void crash_handler_watch(void)
{
	static bool exits;
	if (!exits)
		exits = on_exit(crash_handler_exiting, NULL) == 0;
	/* SA_NODEFER: the signal is not blocked when the jump has left the handler. */
	struct sigaction action = {
	    .sa_handler = crash_handler_handle, .sa_flags = SA_ONSTACK | SA_NODEFER};
	for (size_t i = 0; i < CRASH_N && !crash_handler_has_sanitizer(); i++)
		sigaction(crash_signals[i], &action, &crash_before[i]);
}

void crash_handler_unwatch(void)
{
	for (size_t i = 0; i < CRASH_N && !crash_handler_has_sanitizer(); i++)
		sigaction(crash_signals[i], &crash_before[i], NULL);
}

void *crash_handler_thread_begin(void)
{
	stack_t stack = {.ss_sp = malloc(CRASH_STACK), .ss_size = CRASH_STACK};
	if (stack.ss_sp)
		sigaltstack(&stack, NULL);
	return stack.ss_sp;
}

void crash_handler_thread_end(void *stack)
{
	stack_t off = {.ss_flags = SS_DISABLE};
	sigaltstack(&off, NULL);
	free(stack);
}

sigjmp_buf *crash_handler_point(void)
{
	return &crash_here;
}

void crash_handler_arm(void)
{
	crash_armed = 1;
}

void crash_handler_disarm(void)
{
	crash_armed = 0;
}
