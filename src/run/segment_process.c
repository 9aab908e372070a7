/* SPDX-License-Identifier: Apache-2.0 */
#include "segment_process.h"

#include "child.h"
#include "failure.h"
#include "fd.h"
#include "shell_syntax.h"
#include "trace_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct segment_process {
	struct segment base;
	struct child child;
	struct stderr_relay relay; /* what it writes to stderr, unless it has our own */
	char **argv;		   /* owned; NULL-ended */
	bool is_ours; /* it is leat: it tells its own failures and writes its own trace */
	bool struck;  /* a command at a terminal was ended by SIGINT, perhaps by Ctrl-C */
};

static struct segment_process *segment_program(struct segment *segment)
{
	return (struct segment_process *)segment;
}

/*
 * As in a shell's pipe a command has our own stderr, unless its lines are to be tagged. A
 * program of ours tags them itself, but several together might mix long ones. Returns a
 * descriptor, or -errno.
 */
static int segment_process_stderr(struct segment_process *program)
{
	char tag[STDERR_RELAY_PREFIX_MAX] = "";
	int fd = STDERR_FILENO;
	if (!program->base.options->tag && !program->is_ours)
		return fd;
	if (!program->is_ours)
		snprintf(tag, sizeof(tag), "[%s] ", program->base.specs->name);
	int r = stderr_relay_open(&program->relay, program->base.outlet, tag, &fd);
	return r < 0 ? r : fd;
}

static int segment_process_start(struct segment *segment, int bell, struct leat_error *reterr)
{
	struct segment_process *program = segment_program(segment);
	(void)bell;
	int errors = segment_process_stderr(program);
	int map[] = {
	    program->base.in_fd, program->base.out_fd, errors, program->base.options->trace_fd};
	struct child_setup setup = {
	    .argv = program->argv,
	    .map = map,
	    .n_map = 3,
	    .stays = program->base.at_terminal,
	    .lingers = true,
	    .streams = !program->is_ours,
	    .counts_io = program->base.options->trace_fd >= 0 && !program->is_ours,
	};
	if (program->is_ours && program->base.options->trace_fd >= 0)
		setup.n_map = 4;
	int r = errors < 0 ? errors : child_start(&program->child, &setup);
	if (errors != STDERR_FILENO)
		fd_close(errors);
	if (r < 0)
		return failure(reterr, LEAT_CANNOT_START, r,
		    "stage '%s': command '%.200s' cannot be started: %s", program->base.specs->name,
		    program->is_ours ? program->argv[0] : program->base.specs->target,
		    strerror(-r));
	if (program->child.is_leader)
		orphan_guard_watch(program->base.guard, program->child.group);
	return 0;
}

/* A reader that went away matters at the end of the chain only. */
static void segment_process_reader_gone(struct segment_process *program, const char *name)
{
	if (program->base.is_last)
		failure(
		    &program->base.error, LEAT_READER_GONE, 0, "%s: the reader closed it", name);
}

static void segment_process_judge_ours(struct segment_process *program)
{
	int status = program->child.status;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : LEAT_STOPPED;
	char how[128];
	if (code == LEAT_READER_GONE) {
		segment_process_reader_gone(program, program->base.options->out_name);
		return;
	}
	program->base.error.status = code;
	if (!WIFSIGNALED(status))
		return;
	child_describe(&program->child, how, sizeof(how));
	failure(&program->base.error, LEAT_STOPPED, 0, "stage '%s': %s", program->base.specs->name,
	    how);
}

static void segment_process_judge_command(struct segment_process *program)
{
	int status = program->child.status;
	char how[128];
	/* A shell that has waited for its command gives 128 and the signal's number. */
	if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) ||
	    (WIFEXITED(status) && WEXITSTATUS(status) == LEAT_READER_GONE)) {
		segment_process_reader_gone(program, program->base.options->out_name);
		return;
	}
	child_describe(&program->child, how, sizeof(how));
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	bool missing = code == SHELL_NOT_FOUND || code == SHELL_NOT_EXECUTABLE;
	failure(&program->base.error, missing ? LEAT_CANNOT_START : LEAT_STOPPED, 0,
	    "stage '%s': command '%.200s' %s%s", program->base.specs->name,
	    program->base.specs->target, how, code == SHELL_NOT_FOUND ? " (not found)" : "");
}

static void segment_process_judge_sigint(struct segment *segment)
{
	struct segment_process *program = segment_program(segment);
	if (!program->struck)
		return;
	if (program->is_ours)
		segment_process_judge_ours(program);
	else
		segment_process_judge_command(program);
}

static void segment_process_step(struct segment *segment)
{
	struct segment_process *program = segment_program(segment);
	struct child *child = &program->child;
	/* Also after its end: what it has started may have something to say until segment_end. */
	stderr_relay_pump(&program->relay);
	if (child->pid == 0 || !child_reap(child))
		return;
	program->base.done = true;
	/* A program of ours has written its own and its children's. */
	if (program->base.options->trace_fd >= 0 && !program->is_ours)
		(void)trace_events_process(program->base.options->trace_fd,
		    segment_trace_stage(&program->base, 0), true, (uint32_t)child->started_pid,
		    child->start_ns, child->end_ns, &child->usage, &child->io);
	bool clean = WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
	if (clean || program->base.aborted || program->base.interrupted)
		return;
	/* Ctrl-C reaches it by itself, and may do so sooner than us. */
	if (program->base.at_terminal && WIFSIGNALED(child->status) &&
	    WTERMSIG(child->status) == SIGINT) {
		program->struck = true;
		return;
	}
	if (program->is_ours)
		segment_process_judge_ours(program);
	else
		segment_process_judge_command(program);
}

static int segment_process_poll(const struct segment *segment, struct pollfd *items)
{
	const struct segment_process *program = (const struct segment_process *)segment;
	int n = 0;
	if (!segment->done && program->child.pid != 0)
		items[n++] = (struct pollfd){.fd = program->child.pidfd, .events = POLLIN};
	return n + stderr_relay_poll(&program->relay, items + n);
}

static void segment_process_signal(struct segment *segment, int signal)
{
	struct segment_process *program = segment_program(segment);
	/* Ours has children in groups of their own, and stops them itself. */
	bool tell = program->is_ours && signal == SIGSTOP;
	child_kill(&program->child, tell ? SIGTSTP : signal);
}

static void segment_process_interrupt(struct segment *segment)
{
	child_kill(&segment_program(segment)->child, SIGINT);
}

static void segment_process_abort(struct segment *segment, bool force)
{
	child_kill(&segment_program(segment)->child, force ? SIGKILL : SIGTERM);
}

static int segment_process_end(struct segment *segment)
{
	struct segment_process *program = segment_program(segment);
	child_end(&program->child);
	pid_t group = program->child.group;
	child_end_group(&program->child);
	stderr_relay_close(&program->relay);
	if (group > 0)
		orphan_guard_unwatch(segment->guard, group);
	for (char **word = program->argv; word && *word; word++)
		free(*word);
	free(program->argv);
	program->argv = NULL;
	return 0;
}

static const struct segment_type segment_program_type = {
    .start = segment_process_start,
    .copies_descriptors = true,
    .poll = segment_process_poll,
    .step = segment_process_step,
    .signal = segment_process_signal,
    .interrupt = segment_process_interrupt,
    .abort = segment_process_abort,
    .judge_sigint = segment_process_judge_sigint,
    .end = segment_process_end,
};

struct segment *segment_process_new(const struct segment *base, char **argv)
{
	struct segment_process *program = calloc(1, sizeof(*program));
	if (!program)
		return NULL;
	program->base = *base;
	program->base.type = &segment_program_type;
	program->argv = argv;
	program->is_ours = !base->is_command;
	return &program->base;
}
