/* SPDX-License-Identifier: Apache-2.0 */
#include "segment_ring.h"

#include "autoscale.h"
#include "batch_sizing.h"
#include "claim.h"
#include "clock.h"
#include "cores.h"
#include "crew.h"
#include "crew_commands.h"
#include "failure.h"
#include "host_process.h"
#include "sink.h"
#include "source.h"
#include "time_log.h"
#include "trace_events.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How long a host may take to leave after a good end: it may have much to put away. */
#define SEGMENT_LEAVE_S 10

static_assert(SEGMENT_POLL_MAX >= CREW_POLL_MAX, "a run has room for what a crew polls");

struct segment_ring {
	struct segment base;
	struct crew *crew;
	uint64_t leave_by_ns; /* its work is done: when who has not left is ended; 0: not yet */
	struct source source;
	struct sink sink;
	struct batch_sizing pace;
	struct fast_path shortcut;
	struct autoscale balance;
	struct time_log time_log;
	struct trace_events trace_log;
	bool reader_left;
};

static struct segment_ring *segment_ring(struct segment *segment)
{
	return (struct segment_ring *)segment;
}

static const struct segment_ring *segment_ring_const(const struct segment *segment)
{
	return (const struct segment_ring *)segment;
}

/* A host has ended: its resource usage goes to the trace. */
static void segment_ring_host_ended(void *context, const struct crew *crew, unsigned host)
{
	struct segment_ring *ring = context;
	const struct child *child = &crew->hosts[host];
	uint32_t stage = TRACE_NO_STAGE;
	unsigned n = 0;
	for (uint32_t i = 0; i < crew->plan.n_stages; i++) {
		for (uint32_t k = 0; k < crew->plan.n_workers; k++) {
			if (crew->plan.workers[k].host == host &&
			    crew->plan.workers[k].group == crew->plan.stages[i].group) {
				stage = segment_trace_stage(&ring->base, i);
				n++;
			}
		}
	}
	if (ring->base.options->trace_fd >= 0)
		(void)trace_events_process(ring->base.options->trace_fd,
		    n == 1 ? stage : TRACE_NO_STAGE, false, (uint32_t)child->started_pid,
		    child->start_ns, child->end_ns, &child->usage, NULL);
}

static bool segment_ring_is_file(int fd)
{
	struct stat info;
	return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* A batch: stage has a ring of its own, whose source cuts its batches. */
static void segment_ring_choose_batches(struct segment_ring *ring)
{
	const struct leat_options *options = ring->base.options;
	bool by_records = options->batch_records > 0;
	if (ring->base.specs->kind != STAGE_BATCH)
		return;
	ring->crew->batch_bytes = by_records ? 0 : options->batch_bytes;
	ring->crew->batch_records = by_records ? options->batch_records : UINT32_MAX;
}

static int segment_ring_prepare(struct segment *segment, int bell, struct leat_error *reterr)
{
	struct segment_ring *ring = segment_ring(segment);
	const struct leat_options *options = ring->base.options;
	ring->crew = calloc(1, sizeof(*ring->crew));
	if (!ring->crew)
		return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
	if (worker_plan_ring(options->mode, options->jobs, cores_usable(), ring->base.specs,
		ring->base.n_stages, &ring->crew->plan) < 0)
		return failure(reterr, LEAT_CANNOT_START, -E2BIG, "a ring has at most %d workers",
		    PLAN_WORKERS_MAX);
	ring->crew->outlet = ring->base.outlet;
	ring->crew->tag = options->tag;
	ring->crew->restart_state = options->restart_state;
	ring->crew->commands = (struct launcher_context){
	    .guard = ring->base.guard,
	    .stop = -1,
	    .stall_s = options->stall_s,
	    .timeout_s = options->timeout_s,
	    .bulk = ring->base.first == 0 && segment_ring_is_file(options->in_fd),
	};
	segment_ring_choose_batches(ring);
	return crew_start(ring->crew, bell, options, reterr);
}

static int segment_ring_ready(struct segment *segment, struct leat_error *reterr)
{
	struct segment_ring *ring = segment_ring(segment);
	/* A worker's own words say more than its process's end. */
	int ready = crew_ready(ring->crew, reterr);
	if (ready < 0)
		return ready;
	int r = crew_reap(ring->crew, segment_ring_host_ended, ring, reterr);
	ring->crew->working = r == 0 && ready == 1;
	return r < 0 ? r : ready;
}

static void segment_ring_observe(struct segment_ring *ring, struct observer observer)
{
	assert(ring->sink.n_observers < SINK_OBSERVERS_MAX);
	ring->sink.observers[ring->sink.n_observers++] = observer;
}

/* After the time log: what it tells follows the lines of the calls that it was decided by. */
static void segment_ring_balance(struct segment_ring *ring, int bell)
{
	const struct worker_plan *plan = &ring->crew->plan;
	bool tells = ring->base.options->time_log == LEAT_TIME_LOG_FULL;
	if (!autoscale_is_due(plan))
		return;
	autoscale_init(&ring->balance, plan, cores_usable(), clock_wall_ns(), bell,
	    tells ? &ring->time_log : NULL);
	segment_ring_observe(ring, (struct observer){autoscale_retire, &ring->balance});
}

static int segment_ring_start(struct segment *segment, int bell, struct leat_error *reterr)
{
	struct segment_ring *ring = segment_ring(segment);
	const struct leat_options *options = ring->base.options;
	struct sink *sink = &ring->sink;
	sink->fd = ring->base.out_fd;
	sink->bell = bell;
	/* A command, and the stages behind it, may need the order. */
	sink->unordered = options->unordered && ring->base.is_last;
	sink->name = ring->base.is_last ? options->out_name : "the next command";
	sink->source_name = ring->base.first == 0 ? options->in_name : "the command before";
	bool each = options->time_log != LEAT_TIME_LOG_OFF;
	batch_sizing_init(&ring->pace, &ring->crew->region, each ? 1 : BATCH_SIZING_RECORDS_MAX);
	segment_ring_observe(ring, (struct observer){batch_sizing_retire, &ring->pace});
	if (each) {
		ring->time_log = (struct time_log){options->time_log, options->log_fd};
		segment_ring_observe(ring, (struct observer){time_log_retire, &ring->time_log});
	}
	if (options->trace_fd >= 0) {
		ring->trace_log =
		    (struct trace_events){options->trace_fd, segment_trace_stage(&ring->base, 0)};
		segment_ring_observe(
		    ring, (struct observer){trace_events_retire, &ring->trace_log});
	}
	/* The fast path is for a ring whose stages are all functions of this process. */
	if (crew_is_in_process(ring->crew))
		fast_path_open(&ring->shortcut, &ring->crew->self, sink);
	segment_ring_balance(ring, bell);
	int r = sink_start(sink, &ring->crew->region);
	if (r == 0)
		r = source_start(
		    &ring->source, &ring->crew->region, ring->base.in_fd, &ring->shortcut);
	if (r < 0)
		failure(reterr, LEAT_CANNOT_START, r, "cannot start a thread: %s", strerror(-r));
	return r;
}

static int segment_ring_poll(const struct segment *segment, struct pollfd *items)
{
	const struct segment_ring *ring = segment_ring_const(segment);
	/* Also who is no longer needed may have something to say. */
	return ring->base.done ? crew_poll_stderr(ring->crew, items) : crew_poll(ring->crew, items);
}

static uint64_t segment_ring_deadline_ns(const struct segment *segment)
{
	const struct segment_ring *ring = segment_ring_const(segment);
	return ring->leave_by_ns;
}

/* What the sink came to, once it is done. */
static void segment_ring_judge_sink(struct segment_ring *ring)
{
	const struct sink *sink = &ring->sink;
	bool consequence =
	    ring->base.aborted || (sink->error.status == LEAT_READER_GONE && !ring->base.is_last);
	if (ring->base.error.status != LEAT_OK || consequence)
		return;
	ring->base.error = sink->error;
	if (sink->error.status == LEAT_OK && ring->reader_left)
		sink_describe_reader_gone(sink, &ring->base.error);
}

/* Whether hosts have had the time to leave; tells of those that have not. */
static bool segment_ring_is_late(struct segment_ring *ring)
{
	const struct crew *crew = ring->crew;
	uint64_t now = clock_wall_ns();
	/* A command may take its time. */
	if (!crew_has_hosts(crew))
		return false;
	/* Who waits for a slow reader of stderr cannot leave. */
	if (ring->leave_by_ns == 0 || ring->base.outlet->size > 0)
		ring->leave_by_ns = now + SEGMENT_LEAVE_S * CLOCK_NS_PER_S;
	if (now < ring->leave_by_ns)
		return false;
	for (unsigned i = 0; i < crew->plan.n_hosts; i++) {
		char text[256];
		if (crew->hosts[i].pid == 0)
			continue;
		snprintf(text, sizeof(text),
		    "stage '%s': its process did not leave within %d s and was ended",
		    host_process_name(crew, i), SEGMENT_LEAVE_S);
		segment_notice(&ring->base, text);
	}
	return true;
}

/* What workers in this process have to say, and what failed there with no record to blame. */
static void segment_ring_take_diagnostics(struct segment_ring *ring)
{
	struct worker_messages *notices = &ring->crew->commands.notices;
	char text[sizeof(notices->texts[0])];
	while (worker_messages_take(notices, text))
		segment_notice(&ring->base, text);
	struct leat_error error = worker_messages_error(notices);
	if (error.status == LEAT_OK || ring->base.error.status != LEAT_OK || ring->base.aborted)
		return;
	ring->base.error = error;
	crew_stop(ring->crew);
}

static void segment_ring_step(struct segment *segment)
{
	struct segment_ring *ring = segment_ring(segment);
	if (ring->base.done) {
		crew_relay_stderr(ring->crew);
		return;
	}
	struct leat_error error = {0};
	bool lost = crew_reap(ring->crew, segment_ring_host_ended, ring, &error) < 0 ||
		    crew_ready(ring->crew, &error) < 0;
	if (lost && ring->base.error.status == LEAT_OK && !ring->base.aborted) {
		ring->base.error = error;
		crew_stop(ring->crew);
	}
	if (!ring_stopped(&ring->crew->region))
		host_process_start_wanted(ring->crew);
	/* Who is gone posts nothing any more, so what is heard then is all. */
	bool gone = crew_is_gone(ring->crew);
	segment_ring_take_diagnostics(ring);
	if (!sink_done(&ring->sink))
		return;
	segment_ring_judge_sink(ring);
	source_stop(&ring->source);
	host_process_dismiss(ring->crew);
	/* After a good end the hosts may take their time to leave, after a bad one not. */
	ring->base.done = gone || ring->sink.error.status != LEAT_OK ||
			  ring->base.error.status != LEAT_OK || ring->base.aborted ||
			  segment_ring_is_late(ring);
}

static void segment_ring_signal(struct segment *segment, int signal)
{
	struct segment_ring *ring = segment_ring(segment);
	/* The time that they were stopped does not count. */
	ring->leave_by_ns = 0;
	for (unsigned i = 0; ring->crew && i < ring->crew->plan.n_hosts; i++)
		child_kill(&ring->crew->hosts[i], signal);
	if (ring->crew)
		crew_commands_signal(ring->crew, signal);
}

static bool segment_ring_needs_reader_watch(const struct segment *segment)
{
	return segment_ring_const(segment)->sink.region;
}

static void segment_ring_reader_left(struct segment *segment)
{
	struct segment_ring *ring = segment_ring(segment);
	/* With all input read, what is left will be written, or fail to be, soon. */
	if (ring_end_seq(&ring->crew->region) != END_UNKNOWN)
		return;
	ring->reader_left = true;
	crew_stop(ring->crew);
}

static void segment_ring_interrupt(struct segment *segment)
{
	source_stop(&segment_ring(segment)->source);
}

static void segment_ring_abort(struct segment *segment, bool force)
{
	struct segment_ring *ring = segment_ring(segment);
	(void)force;
	source_stop(&ring->source);
	if (ring->crew)
		crew_stop(ring->crew);
}

static bool segment_ring_leave_input(struct segment *segment)
{
	return source_finish(&segment_ring(segment)->source) == 0;
}

static uint64_t segment_ring_records_done(const struct segment *segment)
{
	return segment_ring_const(segment)->sink.n_source_records;
}

/* Processes that were replaced cost no record, but are worth knowing of; a failure says more. */
static void segment_ring_report_restarts(const struct segment_ring *ring)
{
	const struct crew *crew = ring->crew;
	if (ring->base.error.status != LEAT_OK)
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
		    host_process_name(crew, i), losses->how, times);
		segment_notice(&ring->base, text);
	}
}

static int segment_ring_end(struct segment *segment)
{
	struct segment_ring *ring = segment_ring(segment);
	struct crew *crew = ring->crew;
	if (!crew)
		return 0;
	crew_stop(crew);
	int r = source_finish(&ring->source);
	int sink_r = sink_finish(&ring->sink);
	crew->abandoned = r < 0 || sink_r < 0;
	crew_end(crew, segment_ring_host_ended, ring);
	segment_ring_report_restarts(ring);
	if (crew->abandoned)
		return -ETIMEDOUT;
	fast_path_close(&ring->shortcut);
	free(crew);
	ring->crew = NULL;
	return 0;
}

static const struct segment_type segment_ring_type = {
    .prepare = segment_ring_prepare,
    .ready = segment_ring_ready,
    .start = segment_ring_start,
    .poll = segment_ring_poll,
    .deadline_ns = segment_ring_deadline_ns,
    .step = segment_ring_step,
    .signal = segment_ring_signal,
    .needs_reader_watch = segment_ring_needs_reader_watch,
    .reader_left = segment_ring_reader_left,
    .interrupt = segment_ring_interrupt,
    .abort = segment_ring_abort,
    .leave_input = segment_ring_leave_input,
    .records_done = segment_ring_records_done,
    .end = segment_ring_end,
};

struct segment *segment_ring_new(const struct segment *base)
{
	struct segment_ring *ring = calloc(1, sizeof(*ring));
	if (!ring)
		return NULL;
	ring->base = *base;
	ring->base.type = &segment_ring_type;
	return &ring->base;
}
