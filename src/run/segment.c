/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include "claim.h"
#include "clock.h"
#include "cores.h"
#include "crew_command.h"
#include "crew_host.h"
#include "failure.h"
#include "segment_program.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How long a host may take to leave after a good end: it may have much to put away. */
#define SEGMENT_LEAVE_S 10

uint32_t segment_trace_stage(const struct segment *segment, uint32_t stage)
{
	return segment->options->trace_stage + segment->first + stage;
}

/* A host has ended: its resource usage goes to the trace. */
static void segment_host_ended(void *context, const struct crew *crew, unsigned host)
{
	const struct segment *segment = context;
	const struct child *child = &crew->hosts[host];
	uint32_t stage = TRACE_NO_STAGE;
	unsigned n = 0;
	for (uint32_t i = 0; i < crew->plan.n_stages; i++) {
		for (uint32_t k = 0; k < crew->plan.n_workers; k++) {
			if (crew->plan.workers[k].host == host &&
			    crew->plan.workers[k].group == crew->plan.stages[i].group) {
				stage = segment_trace_stage(segment, i);
				n++;
			}
		}
	}
	if (segment->options->trace_fd >= 0)
		(void)trace_log_process(segment->options->trace_fd, n == 1 ? stage : TRACE_NO_STAGE,
		    false, (uint32_t)child->started_pid, child->start_ns, child->end_ns,
		    &child->usage, NULL);
}

static bool segment_is_file(int fd)
{
	struct stat info;
	return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* A batch: stage has a ring of its own, whose source cuts its batches. */
static void segment_choose_batches(struct segment *segment)
{
	const struct leat_options *options = segment->options;
	bool by_records = options->batch_records > 0;
	if (segment->specs->kind != STAGE_BATCH)
		return;
	segment->crew->batch_bytes = by_records ? 0 : options->batch_bytes;
	segment->crew->batch_records = by_records ? options->batch_records : UINT32_MAX;
}

int segment_prepare(struct segment *segment, int bell, struct leat_error *reterr)
{
	const struct leat_options *options = segment->options;
	segment->started = true;
	if (!segment->is_ring)
		return 0;
	segment->crew = calloc(1, sizeof(*segment->crew));
	if (!segment->crew)
		return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
	if (plan_ring(options->mode, options->jobs, cores_usable(), segment->specs,
		segment->n_stages, &segment->crew->plan) < 0)
		return failure(reterr, LEAT_CANNOT_START, -E2BIG, "a ring has at most %d workers",
		    PLAN_WORKERS_MAX);
	segment->crew->outlet = segment->outlet;
	segment->crew->tag = options->tag;
	segment->crew->commands = (struct launcher_context){
	    .guard = segment->guard,
	    .stop = -1,
	    .stall_s = options->stall_s,
	    .timeout_s = options->timeout_s,
	    .bulk = segment->first == 0 && segment_is_file(options->in_fd),
	};
	segment_choose_batches(segment);
	return crew_start(segment->crew, bell, options, reterr);
}

int segment_ready(struct segment *segment, struct leat_error *reterr)
{
	if (!segment->is_ring)
		return 1;
	/* A worker's own words say more than its process's end. */
	int ready = crew_ready(segment->crew, reterr);
	if (ready < 0)
		return ready;
	int r = crew_reap(segment->crew, segment_host_ended, segment, reterr);
	segment->crew->working = r == 0 && ready == 1;
	return r < 0 ? r : ready;
}

static void segment_observe(struct segment *segment, struct observer observer)
{
	assert(segment->sink.n_observers < SINK_OBSERVERS_MAX);
	segment->sink.observers[segment->sink.n_observers++] = observer;
}

/* After the time log: what it tells follows the lines of the calls that it was decided by. */
static void segment_balance(struct segment *segment, int bell)
{
	const struct plan *plan = &segment->crew->plan;
	bool tells = segment->options->time_log == LEAT_TIME_LOG_FULL;
	if (!balance_is_due(plan))
		return;
	balance_init(&segment->balance, plan, cores_usable(), clock_wall_ns(), bell,
	    tells ? &segment->time_log : NULL);
	segment_observe(segment, (struct observer){balance_retire, &segment->balance});
}

static int segment_start_ring(struct segment *segment, int bell, struct leat_error *reterr)
{
	const struct leat_options *options = segment->options;
	struct sink *sink = &segment->sink;
	sink->fd = segment->out_fd;
	sink->bell = bell;
	/* A command, and the stages behind it, may need the order. */
	sink->unordered = options->unordered && segment->is_last;
	sink->name = segment->is_last ? options->out_name : "the next command";
	sink->source_name = segment->first == 0 ? options->in_name : "the command before";
	bool each = options->time_log != LEAT_TIME_LOG_OFF;
	pace_init(&segment->pace, &segment->crew->region, each ? 1 : PACE_RECORDS_MAX);
	segment_observe(segment, (struct observer){pace_retire, &segment->pace});
	if (each) {
		segment->time_log = (struct time_log){options->time_log, options->log_fd};
		segment_observe(segment, (struct observer){time_log_retire, &segment->time_log});
	}
	if (options->trace_fd >= 0) {
		segment->trace_log =
		    (struct trace_log){options->trace_fd, segment_trace_stage(segment, 0)};
		segment_observe(segment, (struct observer){trace_log_retire, &segment->trace_log});
	}
	shortcut_open(&segment->shortcut, segment->crew, sink);
	segment_balance(segment, bell);
	int r = sink_start(sink, &segment->crew->region);
	if (r == 0)
		r = source_start(
		    &segment->source, &segment->crew->region, segment->in_fd, &segment->shortcut);
	if (r < 0)
		failure(reterr, LEAT_CANNOT_START, r, "cannot start a thread: %s", strerror(-r));
	return r;
}

int segment_start(struct segment *segment, int bell, struct leat_error *reterr)
{
	return segment->is_ring ? segment_start_ring(segment, bell, reterr)
				: segment_program_start(segment, reterr);
}

int segment_poll(const struct segment *segment, struct pollfd *items)
{
	int n = 0;
	if (!segment->started)
		return 0;
	/* Also who is no longer needed may have something to say. */
	if (segment->is_ring)
		return segment->done ? crew_poll_words(segment->crew, items)
				     : crew_poll(segment->crew, items);
	if (!segment->done && segment->child.pid != 0)
		items[n++] = (struct pollfd){.fd = segment->child.pidfd, .events = POLLIN};
	return n + relay_poll(&segment->relay, items + n);
}

uint64_t segment_deadline_ns(const struct segment *segment)
{
	return segment->done ? 0 : segment->leave_by_ns;
}

/* What the sink came to, once it is done. */
static void segment_judge_sink(struct segment *segment)
{
	const struct sink *sink = &segment->sink;
	bool consequence =
	    segment->aborted || (sink->error.status == LEAT_READER_GONE && !segment->is_last);
	if (segment->error.status != LEAT_OK || consequence)
		return;
	segment->error = sink->error;
	if (sink->error.status == LEAT_OK && segment->reader_left)
		sink_say_gone(sink, &segment->error);
}

static void segment_notice(const struct segment *segment, const char *text)
{
	if (segment->options->notice)
		segment->options->notice(segment->options->notice_context, LEAT_WARNING, text);
}

/* Whether hosts have had the time to leave; tells of those that have not. */
static bool segment_is_late(struct segment *segment)
{
	const struct crew *crew = segment->crew;
	uint64_t now = clock_wall_ns();
	/* A command may take its time. */
	if (!crew_has_hosts(crew))
		return false;
	/* Who waits for a slow reader of stderr cannot leave. */
	if (segment->leave_by_ns == 0 || segment->outlet->size > 0)
		segment->leave_by_ns = now + SEGMENT_LEAVE_S * CLOCK_NS_PER_S;
	if (now < segment->leave_by_ns)
		return false;
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		char text[256];
		if (crew->hosts[i].pid == 0)
			continue;
		snprintf(text, sizeof(text),
		    "stage '%s': its process did not leave within %d s and was ended",
		    crew_host_name(crew, i), SEGMENT_LEAVE_S);
		segment_notice(segment, text);
	}
	return true;
}

/* What workers in this process have to say, and what failed there with no record to blame. */
static void segment_hear_workers(struct segment *segment)
{
	struct notices *notices = &segment->crew->commands.notices;
	char text[sizeof(notices->texts[0])];
	while (notices_take(notices, text))
		segment_notice(segment, text);
	struct leat_error error = notices_error(notices);
	if (error.status == LEAT_OK || segment->error.status != LEAT_OK || segment->aborted)
		return;
	segment->error = error;
	crew_stop(segment->crew);
}

static void segment_step_ring(struct segment *segment)
{
	struct leat_error error = {0};
	bool lost = crew_reap(segment->crew, segment_host_ended, segment, &error) < 0 ||
		    crew_ready(segment->crew, &error) < 0;
	if (lost && segment->error.status == LEAT_OK && !segment->aborted) {
		segment->error = error;
		crew_stop(segment->crew);
	}
	if (!ring_stopped(&segment->crew->region))
		crew_host_call(segment->crew);
	/* Who is gone posts nothing any more, so what is heard then is all. */
	bool gone = crew_is_gone(segment->crew);
	segment_hear_workers(segment);
	if (!sink_done(&segment->sink))
		return;
	segment_judge_sink(segment);
	source_stop(&segment->source);
	crew_host_dismiss(segment->crew);
	/* After a good end the hosts may take their time to leave, after a bad one not. */
	segment->done = gone || segment->sink.error.status != LEAT_OK ||
			segment->error.status != LEAT_OK || segment->aborted ||
			segment_is_late(segment);
}

void segment_step(struct segment *segment)
{
	if (!segment->started)
		return;
	if (segment->is_ring && segment->done)
		crew_pass_words(segment->crew);
	else if (segment->is_ring)
		segment_step_ring(segment);
	else
		segment_program_step(segment);
}

void segment_signal(struct segment *segment, int signal)
{
	/* Ours has children in groups of their own, and stops them itself. */
	bool tell = segment->is_ours && signal == SIGSTOP;
	child_kill(&segment->child, tell ? SIGTSTP : signal);
	/* The time that they were stopped does not count. */
	segment->leave_by_ns = 0;
	for (unsigned i = 0; segment->crew && i < segment->crew->plan.n_hosts; i++)
		child_kill(&segment->crew->hosts[i], signal);
	if (segment->crew)
		crew_command_signal(segment->crew, signal);
}

void segment_reader_left(struct segment *segment)
{
	/* With all input read, what is left will be written, or fail to be, soon. */
	if (ring_end_seq(&segment->crew->region) != END_UNKNOWN)
		return;
	segment->reader_left = true;
	crew_stop(segment->crew);
}

void segment_interrupt(struct segment *segment)
{
	segment->interrupted = true;
	if (segment->is_ring)
		source_stop(&segment->source);
	else
		child_kill(&segment->child, SIGINT);
}

void segment_abort(struct segment *segment, bool force)
{
	segment->aborted = true;
	if (!segment->started || segment->done)
		return;
	if (!segment->is_ring) {
		child_kill(&segment->child, force ? SIGKILL : SIGTERM);
		return;
	}
	source_stop(&segment->source);
	if (segment->crew)
		crew_stop(segment->crew);
}

/* Processes that were replaced cost no record, but are worth knowing of; a failure says more. */
static void segment_tell_restarts(const struct segment *segment)
{
	const struct crew *crew = segment->crew;
	if (segment->error.status != LEAT_OK)
		return;
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		const struct crew_losses *losses = &crew->losses[i];
		char text[320];
		char times[32] = "";
		if (losses->restarts == 0)
			continue;
		if (losses->restarts > 1)
			snprintf(times, sizeof(times), ", %u times", losses->restarts);
		snprintf(text, sizeof(text), "stage '%s': %s%s; its process was replaced",
		    crew_host_name(crew, i), losses->how, times);
		segment_notice(segment, text);
	}
}

static int segment_end_ring(struct segment *segment)
{
	struct crew *crew = segment->crew;
	crew_stop(crew);
	int r = source_finish(&segment->source);
	int sink_r = sink_finish(&segment->sink);
	crew->abandoned = r < 0 || sink_r < 0;
	crew_end(crew, segment_host_ended, segment);
	segment_tell_restarts(segment);
	if (crew->abandoned)
		return -ETIMEDOUT;
	shortcut_close(&segment->shortcut);
	free(crew);
	segment->crew = NULL;
	return 0;
}

int segment_end(struct segment *segment)
{
	int r = segment->crew ? segment_end_ring(segment) : 0;
	child_end(&segment->child);
	pid_t group = segment->child.group;
	child_end_group(&segment->child);
	relay_close(&segment->relay);
	if (group > 0)
		guard_forget(segment->guard, group);
	for (char **word = segment->argv; word && *word; word++)
		free(*word);
	free(segment->argv);
	segment->argv = NULL;
	return r;
}
