/* SPDX-License-Identifier: Apache-2.0 */
#include "line_worker.h"

#include "claim.h"
#include "clock.h"
#include "deadlock.h"
#include "fd.h"
#include "frame.h"
#include "in_flight.h"
#include "line_batches.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* How seldom it is looked at in the end; first after LINE_LOOK_MS. */
#define LINE_LOOK_MAX_MS 1000

/* One that is starved: its turn may come when another one has been helped. */
#define LINE_LOOK_STARVED_MS 32

/* Of so many answers that are owed, so many bytes should come at once. */
#define LINE_MANY      64
#define LINE_GATHERED  4096
#define LINE_GATHER_NS (200u * 1000)

/* Whether a process has to be started: the last one has died. */
static bool line_worker_lacks_process(const struct line_worker *line)
{
	return line->n_batches > 0 && !line_process_is_open(&line->dialogue);
}

/* A last answer without its separator is one, if the process had time to say it all. */
static void line_worker_complete(struct line_worker *line)
{
	struct line_process *dialogue = &line->dialogue;
	bool clean = WIFEXITED(dialogue->child.status);
	if (dialogue->end == dialogue->start || line->frame == LEAT_U32 || !clean)
		return;
	dialogue->data[dialogue->end++] = frame_separator(line->frame);
	line_batches_receive(line);
}

static const char *line_worker_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void line_worker_judge_exit(struct line_worker *line, const char *how)
{
	uint64_t owed = line_batches_unanswered(line);
	bool clean = WEXITSTATUS(line->dialogue.child.status) == 0;
	/* It has heard the end of its input. */
	bool knew = line->exhausted && line->telling == line->n_batches;
	if (line->n_batches > 0 && knew)
		line_batches_fail(line, "%s after %" PRIu64 " answer%s to %" PRIu64 " record%s",
		    how, line->answers, line_worker_plural(line->answers), line->answers + owed,
		    line_worker_plural(line->answers + owed));
	else if (line->n_batches > 0)
		line_batches_fail(line, "%s after %" PRIu64 " answer%s, before its input had ended",
		    how, line->answers, line_worker_plural(line->answers));
	else if (!clean)
		line_batches_fail(line, "%s after its last answer", how);
	line->left = true;
}

/* The process has ended. */
static void line_worker_judge(struct line_worker *line)
{
	const struct child *child = &line->dialogue.child;
	char how[128];
	line_worker_complete(line);
	/* It may have been given back for want of memory. */
	if (line->failed || !line_process_is_open(&line->dialogue))
		return;
	line_batches_commit_answered(line);
	launcher_describe(line->command, child, how, sizeof(how));
	bool clean = WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
	if (line->rests && clean && !line_batches_unanswered_sent(line)) {
		line_batches_start_over(line);
		return;
	}
	if (!WIFSIGNALED(child->status)) {
		line_worker_judge_exit(line, how);
		line_batches_start_over(line);
		return;
	}
	bool last = line->exhausted && line->n_batches == 0;
	retry_count_count(&line->tries, WTERMSIG(child->status));
	line_batches_start_over(line);
	if (last)
		line_batches_fail(line, "%s after its last answer", how);
	if (retry_count_is_spent(&line->tries))
		line_batches_fail(
		    line, "%s, %u times", how, line->tries.crashed + line->tries.killed);
}

static void line_worker_say_stall(struct line_worker *line)
{
	const struct launcher_context *context = line->command->context;
	const struct line_process *dialogue = &line->dialogue;
	uint64_t owed = line_batches_unanswered(line);
	const char *why = "it is still at work; --timeout would end it";
	if (dialogue->to < 0)
		why = "its input has ended; --timeout would end it";
	else if (line_process_awaits_input(dialogue) && line->stands)
		why = "it waits for more input than --memory has room for, so it keeps its answers "
		      "in a buffer; raise --memory, or have it flush each line (fflush(), -u, "
		      "--line-buffered)";
	else if (line_process_awaits_input(dialogue))
		why = "it waits for more input, so it keeps its answers in a buffer; have it flush "
		      "each line (fflush(), -u, --line-buffered), or use batch:";
	line->stall_reported = true;
	worker_messages_post(&line->command->context->notices,
	    "stage '%s': process %d has answered nothing for %u s and owes %" PRIu64
	    " answer%s: %s",
	    line->command->stage->name, dialogue->child.started_pid, context->stall_s, owed,
	    line_worker_plural(owed), launcher_why_stalled(&dialogue->child, why));
}

/* The next look, after one that changed nothing: soon while an interpreter may be starting. */
static int line_worker_later(const struct line_worker *line, int most)
{
	int later = line->look_ms + line->look_ms / 4 + 1;
	return later < most ? later : most;
}

/* As it has said nothing, another one may be asked, which buffers less. */
static bool line_worker_may_unbuffer(const struct line_worker *line)
{
	return line->answers == 0 && !line->command->unbuffered;
}

/* Lets a process go that is never told as much as it wants to hear. */
static void line_worker_let_go(struct line_worker *line)
{
	if (line_worker_may_unbuffer(line)) {
		launcher_unbuffer(line->command);
		line_batches_start_over(line);
		return;
	}
	/* One of several is stateless: it may end, which makes it answer, and another goes on. */
	line->rests = true;
	line_process_close_input(&line->dialogue);
}

/* A process that keeps its answers back gets more at a time. */
static void line_worker_look(struct line_worker *line)
{
	bool waits_for_us = line_batches_unanswered_sent(line) && !line_batches_wants_to_send(line);
	if (!waits_for_us || !line_process_awaits_input(&line->dialogue)) {
		line->look_ms = line_worker_later(line, LINE_LOOK_MAX_MS);
		return;
	}
	bool may_rest = !line->alone || line_worker_may_unbuffer(line);
	/* The source has looked again since it was hurried. */
	bool held = !line->sent_since_check && in_flight_is_source_blocked(line->region);
	deadlock_report(
	    line->region, line->worker, may_rest ? DEADLOCK_CAN_FLUSH : DEADLOCK_NEEDS_INPUT);
	line->stands = held && deadlock_is_reached(line->region);
	if (held && may_rest && deadlock_must_yield(line->region, line->position, line->worker)) {
		line_worker_let_go(line);
		return;
	}
	int most = may_rest ? LINE_LOOK_STARVED_MS : LINE_LOOK_MAX_MS;
	line->look_ms = line->sent_since_check ? LINE_LOOK_MS : line_worker_later(line, most);
	line->sent_since_check = false;
	line->awaits_input = true;
	in_flight_widen(line->region);
}

/* A process has been quiet: what is to be done about it. */
static void line_worker_check_time(struct line_worker *line)
{
	struct launcher_context *context = line->command->context;
	uint64_t now = job_control_clock_ns(&context->suspend);
	uint64_t quiet_ms = (now - line->dialogue.heard_ns) / 1000000;
	if (context->timeout_s > 0 && quiet_ms >= 1000ull * context->timeout_s) {
		line_batches_fail(line, "has not answered for %u s, the --timeout, and was ended",
		    context->timeout_s);
		return;
	}
	if (context->stall_s > 0 && !line->stall_reported && quiet_ms >= 1000ull * context->stall_s)
		line_worker_say_stall(line);
	if (quiet_ms >= (uint64_t)line->look_ms)
		line_worker_look(line);
}

/*
 * A process that flushes each line would wake this thread for each. While it owes many, they
 * are left to gather for a moment: nobody waits for them one by one.
 */
static bool line_worker_gather(const struct line_worker *line)
{
	struct pollfd stop = {.fd = line->command->context->stop, .events = POLLIN};
	struct timespec moment = {.tv_nsec = LINE_GATHER_NS};
	uint64_t owed = line_batches_unanswered(line);
	if (owed < LINE_MANY || line->dialogue.heard_bytes >= LINE_GATHERED)
		return true;
	return ppoll(&stop, 1, &moment, NULL) <= 0;
}

/* Waits for the ring, the process or the end of the run. Returns false for the last. */
static bool line_worker_wait(struct line_worker *line)
{
	struct pollfd items[2 + LINE_PROCESS_POLL] = {
	    {.fd = line->command->context->stop, .events = POLLIN},
	    {.fd = line->scout.bell, .events = POLLIN},
	};
	struct line_process *dialogue = &line->dialogue;
	bool waits = line_process_is_open(dialogue) && !line->full &&
		     (line->n_batches > 0 || dialogue->to < 0);
	line_process_poll(dialogue, line_batches_wants_to_send(line), &items[2]);
	if (line->full)
		items[3].fd = -1;
	int patience_ms = line_batches_is_checking_first(line) ? (int)LINE_PROOF_MS
			  : waits			       ? line->look_ms
							       : -1;
	int n = poll(items, 2 + LINE_PROCESS_POLL, patience_ms);
	if (items[0].revents)
		return false;
	/* Nobody has listened, or has asked anything: it is not the process that was quiet. */
	if (line->full || !waits)
		dialogue->heard_ns = job_control_clock_ns(&line->command->context->suspend);
	if (n > 0 && items[1].revents)
		fd_clear_bell(line->scout.bell);
	if (n > 0 && line_process_receive(dialogue, &items[2]) < 0)
		line_batches_fail(line, "out of memory");
	/* While it is watched it owes nothing, whatever it waits for. */
	if (line_batches_is_checking_first(line) && !line->failed)
		line_batches_accept_first(line);
	/* What it has said just now is not looked at yet, however late it is for us. */
	else if (waits && !line->failed && !items[3].revents)
		line_worker_check_time(line);
	return true;
}

/* Tells, hears and judges what can be now. */
static void line_worker_step(struct line_worker *line)
{
	struct line_process *dialogue = &line->dialogue;
	if (line->n_batches > 0 && line->left) {
		line_batches_fail(
		    line, "has ended before the input did; a line: command must go on");
		return;
	}
	if (line->n_batches > 0 && !line_process_is_open(dialogue)) {
		int r = line_process_start(dialogue, line->command);
		if (r < 0) {
			line_batches_fail(line, "cannot be started: %s", strerror(-r));
			return;
		}
	}
	if (!line_process_is_open(dialogue))
		return;
	line_batches_send(line);
	if (line->exhausted && line->telling == line->n_batches)
		line_process_close_input(dialogue);
	line_batches_receive(line);
	if (!line->failed && line_process_is_over(dialogue))
		line_worker_judge(line);
}

static bool line_worker_is_done(const struct line_worker *line)
{
	return line->failed ||
	       (line->exhausted && line->n_batches == 0 && !line_process_is_open(&line->dialogue));
}

static int line_worker_open(struct line_worker *line)
{
	const struct region *region = line->region;
	line->group = region_group_at(region, line->position);
	line->rank = region_rank(region, line->worker);
	unsigned n = 0;
	for (unsigned i = 0; i < region->header->n_workers; i++)
		n += region_worker(region, i)->group == line->group;
	line->alone = n == 1;
	line->batches = calloc(region->header->n_slots, sizeof(*line->batches));
	if (!line->batches)
		return -ENOMEM;
	int r = ring_eventfd_start(&line->scout, region, line->group);
	if (r < 0)
		free(line->batches);
	return r;
}

void line_worker_run(
    const struct region *region, unsigned position, unsigned worker, struct launcher *command)
{
	struct line_worker line = {
	    .region = region,
	    .frame = (enum leat_frame)region->header->frame,
	    .position = position,
	    .worker = worker,
	    .look_ms = LINE_LOOK_MS,
	    .command = command,
	};
	int r = line_worker_open(&line);
	if (r < 0) {
		worker_messages_fail(&command->context->notices, "stage '%s': %s",
		    command->stage->name, strerror(-r));
		return;
	}
	do {
		line_batches_claim_ahead(&line);
		line_worker_step(&line);
	} while (!line_worker_is_done(&line) &&
		 (line_batches_may_claim_more(&line) || line_worker_lacks_process(&line) ||
		     (line_worker_gather(&line) && line_worker_wait(&line))));
	line_process_end(&line.dialogue);
	ring_eventfd_end(&line.scout);
	free(line.batches);
}
