/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int interrupt_signals[] = {SIGINT, SIGTERM, SIGHUP};

#define INTERRUPT_SIGNALS (sizeof(interrupt_signals) / sizeof(interrupt_signals[0]))

static volatile sig_atomic_t interrupt_first;
static volatile pid_t interrupt_child;

static void interrupt_note(int signo, siginfo_t *info, void *context)
{
	(void)context;
	if (interrupt_first == 0)
		interrupt_first = signo;
	/* The terminal signals the whole foreground group, and says SI_KERNEL. */
	if (interrupt_child > 0 && info->si_code != SI_KERNEL)
		kill(interrupt_child, signo);
}

void interrupt_watch(void)
{
	for (size_t i = 0; i < INTERRUPT_SIGNALS; i++) {
		struct sigaction old;
		if (sigaction(interrupt_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		/* Without SA_RESTART: a wait or a read must end. */
		struct sigaction action = {.sa_sigaction = interrupt_note, .sa_flags = SA_SIGINFO};
		sigemptyset(&action.sa_mask);
		sigaction(interrupt_signals[i], &action, NULL);
	}
}

int interrupt_caught(void)
{
	return interrupt_first;
}

void interrupt_pass_to(pid_t child)
{
	interrupt_child = child;
}

static void interrupt_mask(int how)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < INTERRUPT_SIGNALS; i++)
		sigaddset(&set, interrupt_signals[i]);
	sigprocmask(how, &set, NULL);
}

void interrupt_hold(void)
{
	interrupt_mask(SIG_BLOCK);
}

void interrupt_release(void)
{
	interrupt_mask(SIG_UNBLOCK);
}
