/* SPDX-License-Identifier: Apache-2.0 */
#include "segment_program.h"

#include "failure.h"
#include "fd.h"
#include "shell.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * As in a shell's pipe a command has our own stderr, unless its lines are to be tagged. A
 * program of ours tags them itself, but several together might mix long ones. Returns a
 * descriptor, or -errno.
 */
static int segment_program_stderr(struct segment *segment)
{
	char tag[RELAY_PREFIX_MAX] = "";
	int fd = STDERR_FILENO;
	if (!segment->options->tag && !segment->is_ours)
		return fd;
	if (!segment->is_ours)
		snprintf(tag, sizeof(tag), "[%s] ", segment->specs->name);
	int r = relay_open(&segment->relay, segment->outlet, tag, &fd);
	return r < 0 ? r : fd;
}

int segment_program_start(struct segment *segment, struct leat_error *reterr)
{
	int errors = segment_program_stderr(segment);
	int map[] = {segment->in_fd, segment->out_fd, errors, segment->options->trace_fd};
	struct child_setup setup = {
	    .argv = segment->argv,
	    .map = map,
	    .n_map = 3,
	    .stays = segment->at_terminal,
	    .lingers = true,
	    .streams = !segment->is_ours,
	    .counts_io = segment->options->trace_fd >= 0 && !segment->is_ours,
	};
	if (segment->is_ours && segment->options->trace_fd >= 0)
		setup.n_map = 4;
	int r = errors < 0 ? errors : child_start(&segment->child, &setup);
	if (errors != STDERR_FILENO)
		fd_close(errors);
	if (r < 0)
		return failure(reterr, LEAT_CANNOT_START, r,
		    "stage '%s': command '%.200s' cannot be started: %s", segment->specs->name,
		    segment->is_ours ? segment->argv[0] : segment->specs->target, strerror(-r));
	if (segment->child.is_leader)
		guard_watch(segment->guard, segment->child.group);
	return 0;
}

/* A reader that went away matters at the end of the chain only. */
static void segment_program_reader_gone(struct segment *segment, const char *name)
{
	if (segment->is_last)
		failure(&segment->error, LEAT_READER_GONE, 0, "%s: the reader closed it", name);
}

static void segment_program_judge_ours(struct segment *segment)
{
	int status = segment->child.status;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : LEAT_STOPPED;
	char how[128];
	if (code == LEAT_READER_GONE) {
		segment_program_reader_gone(segment, segment->options->out_name);
		return;
	}
	segment->error.status = code;
	if (!WIFSIGNALED(status))
		return;
	child_describe(&segment->child, how, sizeof(how));
	failure(&segment->error, LEAT_STOPPED, 0, "stage '%s': %s", segment->specs->name, how);
}

static void segment_program_judge_command(struct segment *segment)
{
	int status = segment->child.status;
	char how[128];
	/* A shell that has waited for its command gives 128 and the signal's number. */
	if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) ||
	    (WIFEXITED(status) && WEXITSTATUS(status) == LEAT_READER_GONE)) {
		segment_program_reader_gone(segment, segment->options->out_name);
		return;
	}
	child_describe(&segment->child, how, sizeof(how));
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	bool missing = code == SHELL_NOT_FOUND || code == SHELL_NOT_EXECUTABLE;
	failure(&segment->error, missing ? LEAT_CANNOT_START : LEAT_STOPPED, 0,
	    "stage '%s': command '%.200s' %s%s", segment->specs->name, segment->specs->target, how,
	    code == SHELL_NOT_FOUND ? " (not found)" : "");
}

void segment_program_judge_struck(struct segment *segment)
{
	if (!segment->struck)
		return;
	if (segment->is_ours)
		segment_program_judge_ours(segment);
	else
		segment_program_judge_command(segment);
}

void segment_program_step(struct segment *segment)
{
	struct child *child = &segment->child;
	/* Also after its end: what it has started may have something to say until segment_end. */
	relay_pump(&segment->relay);
	if (child->pid == 0 || !child_reap(child))
		return;
	segment->done = true;
	/* A program of ours has written its own and its children's. */
	if (segment->options->trace_fd >= 0 && !segment->is_ours)
		(void)trace_log_process(segment->options->trace_fd, segment_trace_stage(segment, 0),
		    true, (uint32_t)child->started_pid, child->start_ns, child->end_ns,
		    &child->usage, &child->io);
	bool clean = WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
	if (clean || segment->aborted || segment->interrupted)
		return;
	/* Ctrl-C reaches it by itself, and may do so sooner than us. */
	if (segment->at_terminal && WIFSIGNALED(child->status) &&
	    WTERMSIG(child->status) == SIGINT) {
		segment->struck = true;
		return;
	}
	if (segment->is_ours)
		segment_program_judge_ours(segment);
	else
		segment_program_judge_command(segment);
}
