/* SPDX-License-Identifier: Apache-2.0 */
#include "crash.h"

#include "claim.h"
#include "slot.h"

#include <leat/error.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CRASH_STACK (64u << 10)

/* A crash waits this long, 1 ms at a time, for the batches before it. */
#define CRASH_NAPS   1000
#define CRASH_NAP_NS (1000 * 1000)

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
#define CRASH_N (sizeof(crash_signals) / sizeof(crash_signals[0]))

static struct sigaction crash_before[CRASH_N];

static _Thread_local struct {
	const struct region *region; /* NULL: not inside a stage */
	uint64_t seq;
	unsigned position;
} crash_here;

bool crash_has_sanitizer(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

/* Only what a signal handler may call. */
static void crash_append(char *line, size_t capacity, const char *text)
{
	size_t used = strlen(line);
	size_t size = strlen(text);
	if (size > capacity - 1 - used)
		size = capacity - 1 - used;
	memcpy(line + used, text, size);
	line[used + size] = '\0';
}

static const char *crash_number(char *digits, size_t capacity, uint64_t number)
{
	char *at = digits + capacity - 1;
	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return at;
}

/* The other threads go on: what came before this batch still comes out. */
static void crash_let_out(void)
{
	const struct region *region = crash_here.region;
	const struct timespec nap = {.tv_nsec = CRASH_NAP_NS};
	uint64_t before = crash_here.seq - 1;
	for (int i = 0; crash_here.seq > 0 && i < CRASH_NAPS; i++) {
		if (ring_passed(region, before, region_sink(region)))
			return;
		nanosleep(&nap, NULL);
	}
}

static void crash_handle(int signal_number)
{
	if (!crash_here.region) {
		signal(signal_number, SIG_DFL);
		raise(signal_number);
		return;
	}
	const char *name = signal_number == SIGSEGV  ? "SIGSEGV"
			   : signal_number == SIGBUS ? "SIGBUS"
			   : signal_number == SIGFPE ? "SIGFPE"
						     : "SIGILL";
	const struct slot *slot = slot_at(crash_here.region, crash_here.seq);
	crash_let_out();
	char digits[24];
	char line[256] = "leat: stage '";
	crash_append(
	    line, sizeof(line), region_stage(crash_here.region, crash_here.position - 1)->name);
	crash_append(line, sizeof(line), "': crashed with ");
	crash_append(line, sizeof(line), name);
	crash_append(line, sizeof(line), ", record ");
	crash_append(line, sizeof(line), crash_number(digits, sizeof(digits), slot->first_record));
	crash_append(line, sizeof(line),
	    "; it ran inside the run's own process: -m processes gives it its own\n");
	ssize_t ignored = write(STDERR_FILENO, line, strlen(line));
	(void)ignored;
	_exit(LEAT_STOPPED);
}

void crash_watch(void)
{
	struct sigaction action = {.sa_handler = crash_handle, .sa_flags = SA_ONSTACK};
	for (size_t i = 0; i < CRASH_N && !crash_has_sanitizer(); i++)
		sigaction(crash_signals[i], &action, &crash_before[i]);
}

void crash_unwatch(void)
{
	for (size_t i = 0; i < CRASH_N && !crash_has_sanitizer(); i++)
		sigaction(crash_signals[i], &crash_before[i], NULL);
}

void *crash_thread_begin(void)
{
	stack_t stack = {.ss_sp = malloc(CRASH_STACK), .ss_size = CRASH_STACK};
	if (stack.ss_sp)
		sigaltstack(&stack, NULL);
	return stack.ss_sp;
}

void crash_thread_end(void *stack)
{
	stack_t off = {.ss_flags = SS_DISABLE};
	sigaltstack(&off, NULL);
	free(stack);
}

void crash_enter(const struct region *region, uint64_t seq, unsigned position)
{
	crash_here.region = region;
	crash_here.seq = seq;
	crash_here.position = position;
}

void crash_leave(void)
{
	crash_here.region = NULL;
}
