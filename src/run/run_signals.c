/* SPDX-License-Identifier: Apache-2.0 */
#include "run_signals.h"

#include "failure.h"
#include "fd.h"
#include "run_outcome.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A signal that the caller ignores, as nohup does, stays ignored: blocked, it would be read. */
static void run_signals_add(sigset_t *set, int number)
{
	struct sigaction now;
	if (sigaction(number, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
		sigaddset(set, number);
}

int run_signals_open(struct run *run)
{
	sigset_t set;
	sigemptyset(&set);
	run_signals_add(&set, SIGINT);
	run_signals_add(&set, SIGTERM);
	run_signals_add(&set, SIGHUP);
	run_signals_add(&set, SIGTSTP);
	/* Before any thread starts: they inherit the mask. */
	pthread_sigmask(SIG_BLOCK, &set, &run->mask_before);
	run->owns_signals = true;
	/* A write to a closed pipe is an error that the writer reports. */
	run->pipe_before = signal(SIGPIPE, SIG_IGN);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signals < 0 ? -errno : 0;
}

void run_signals_close(struct run *run)
{
	run->signals = fd_close(run->signals);
	if (!run->owns_signals)
		return;
	signal(SIGPIPE, run->pipe_before);
	pthread_sigmask(SIG_SETMASK, &run->mask_before, NULL);
}

/* At a terminal Ctrl-C reaches the commands by itself, and ends them. */
static void run_signals_expect_ends(struct run *run)
{
	for (uint32_t i = 0; i < run_wave_size(run); i++) {
		if (!run_wave(run, i)->at_terminal)
			continue;
		run_wave(run, i)->interrupted = true;
		run->loses |= run_wave(run, i)->is_command;
	}
}

/* What a first interrupt means, for a person who waits. */
static const char *run_signals_hint(const struct run *run)
{
	return run->loses
		   ? "interrupted, and the commands that are programs of their own with it, as "
		     "in a shell's pipe; once more to end at once"
		   : "interrupted: finishing what has been read; once more to end at once";
}

static struct segment *run_signals_first(struct run *run)
{
	for (uint32_t i = 0; i < run_wave_size(run); i++) {
		if (run_wave(run, i)->started && !run_wave(run, i)->done)
			return run_wave(run, i);
	}
	return NULL;
}

static void run_signals_interrupt(struct run *run, int status, bool typed)
{
	if (typed)
		run_signals_expect_ends(run);
	run->interrupt_status = status;
	if (++run->interrupts > 1) {
		run->outlet.hurry = true;
		run_abort_all(run, true);
		return;
	}
	struct segment *first = run_signals_first(run);
	/* A program that reads the input itself cannot be told to read no more. */
	run->loses |= first && first->is_command;
	if (run->options->notice && !run->options->filter)
		run->options->notice(
		    run->options->notice_context, LEAT_HINT, run_signals_hint(run));
	if (first && !(typed && first->at_terminal))
		segment_interrupt(first);
}

/* Ctrl-Z reaches this process only: its children are in groups of their own. */
static void run_signals_suspend(struct run *run)
{
	for (uint32_t i = 0; i < run_wave_size(run); i++)
		run_wave(run, i)->type->signal(run_wave(run, i), SIGSTOP);
	raise(SIGSTOP);
	for (uint32_t i = 0; i < run_wave_size(run); i++)
		run_wave(run, i)->type->signal(run_wave(run, i), SIGCONT);
}

void run_signals_read(struct run *run)
{
	struct signalfd_siginfo info;
	while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			run_signals_suspend(run);
		else
			run_signals_interrupt(run,
			    info.ssi_signo == SIGINT ? LEAT_INTERRUPTED : LEAT_TERMINATED,
			    /* typed= */ info.ssi_code == SI_KERNEL);
	}
}

/* What an interrupted run says, unless something failed as well. */
void run_signals_describe(struct run *run)
{
	const struct segment *first = run->segments[0];
	struct leat_error error = {.status = run->interrupt_status};
	const char *how = run->interrupt_status == LEAT_INTERRUPTED ? "interrupted" : "terminated";
	const char *lost = run->interrupts > 1 ? "; what was being worked on is lost"
			   : run->loses	       ? "; what its commands had read may be lost"
					       : "";
	if (!run->options->filter && first->type->records_done)
		failure(&error, run->interrupt_status, 0, "%s after record %llu%s", how,
		    (unsigned long long)first->type->records_done(first), lost);
	else if (!run->options->filter)
		failure(&error, run->interrupt_status, 0, "%s%s", how, lost);
	run_fail(run, &error);
}
