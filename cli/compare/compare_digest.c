/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A trace's times must lie in the run, but for clocks read on different cores. */
#define DIGEST_SLACK_NS 1000000000

/* Adds a span with times from the run's spawn; false if the event's times make no sense. */
static bool digest_span(
    struct compare_run *run, uint64_t start_ns, uint64_t end_ns, struct compare_span span)
{
	uint64_t spawn_ns = run->spawn_ns;
	uint64_t last_ns = spawn_ns + run->wall_ns;
	if (end_ns < start_ns || end_ns < spawn_ns || start_ns > last_ns ||
	    end_ns > last_ns + DIGEST_SLACK_NS)
		return false;
	span.start_ns = start_ns > spawn_ns ? start_ns - spawn_ns : 0;
	span.end_ns = end_ns < last_ns ? end_ns - spawn_ns : run->wall_ns;
	run->spans[run->n_spans++] = span;
	return true;
}

static void digest_call(struct compare_run *run, const struct trace_event *event)
{
	struct compare_span span = {
	    .first_record = event->call.first_record,
	    .records = event->call.records_in,
	    .stage = event->stage,
	};
	if (event->call.records_in == 0 ||
	    !digest_span(run, event->call.start_ns, event->call.end_ns, span))
		return;
	struct compare_stage *stage = &run->stages[event->stage];
	stage->calls += event->call.records_in;
	stage->wall_ns += event->call.end_ns - event->call.start_ns;
	stage->cpu_ns += event->call.cpu_ns;
	uint64_t start_ns = run->spans[run->n_spans - 1].start_ns;
	if (start_ns < run->startup_ns)
		run->startup_ns = start_ns;
}

static void digest_process(struct compare_run *run, const struct trace_event *event, bool is_stage)
{
	run->peak_bytes += event->process.peak_bytes;
	if (!is_stage || !event->process.is_command)
		return;
	struct compare_span span = {.stage = event->stage};
	struct compare_stage *stage = &run->stages[event->stage];
	stage->is_command = true;
	stage->cpu_ns += event->process.user_ns + event->process.sys_ns;
	stage->has_io = event->process.has_io;
	stage->read_bytes = event->process.read_bytes;
	stage->written_bytes = event->process.written_bytes;
	if (digest_span(run, event->process.start_ns, event->process.end_ns, span))
		stage->wall_ns += event->process.end_ns - event->process.start_ns;
}

/* A call's start or end, for the sweep over time. */
struct digest_edge {
	uint64_t at_ns;
	uint32_t stage;
	bool is_start;
};

static int digest_by_time(const void *one, const void *other)
{
	const struct digest_edge *a = one;
	const struct digest_edge *b = other;
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	/* Ends first, so that one call after another is no overlap. */
	return (int)a->is_start - (int)b->is_start;
}

static int digest_by_start(const void *one, const void *other)
{
	const struct compare_span *a = one;
	const struct compare_span *b = other;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return (a->stage > b->stage) - (a->stage < b->stage);
}

/* How many stages were in calls at once, added up over time. */
static void digest_sweep(const struct comparison *comparison, struct compare_run *run,
    const struct digest_edge *edges, size_t n, uint32_t *calls_of_stage)
{
	size_t stages = 0;
	size_t pythons = 0;
	uint64_t before_ns = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t passed_ns = edges[i].at_ns - before_ns;
		before_ns = edges[i].at_ns;
		run->busy_ns += stages >= 1 ? passed_ns : 0;
		run->overlap_ns += stages >= 2 ? passed_ns : 0;
		run->python_ns += pythons >= 1 ? passed_ns : 0;
		uint32_t *calls = &calls_of_stage[edges[i].stage];
		bool is_python = comparison->is_python[edges[i].stage];
		if (edges[i].is_start && (*calls)++ == 0) {
			stages++;
			pythons += is_python;
		} else if (!edges[i].is_start && --*calls == 0) {
			stages--;
			pythons -= is_python;
		}
	}
}

static int digest_overlap(const struct comparison *comparison, struct compare_run *run)
{
	struct digest_edge *edges = calloc(2 * run->n_spans + 1, sizeof(*edges));
	uint32_t *calls_of_stage = calloc(comparison->n_stages + 1, sizeof(*calls_of_stage));
	int r = edges && calls_of_stage ? 0 : -ENOMEM;
	size_t n = 0;
	for (size_t i = 0; r == 0 && i < run->n_spans; i++) {
		const struct compare_span *span = &run->spans[i];
		/* A call that took no time at all would end before it starts. */
		if (span->records == 0 || span->end_ns == span->start_ns)
			continue;
		edges[n++] = (struct digest_edge){span->start_ns, span->stage, true};
		edges[n++] = (struct digest_edge){span->end_ns, span->stage, false};
	}
	if (r == 0) {
		qsort(edges, n, sizeof(*edges), digest_by_time);
		digest_sweep(comparison, run, edges, n, calls_of_stage);
	}
	free(edges);
	free(calls_of_stage);
	return r;
}

static void digest_forget(const struct comparison *comparison, struct compare_run *run)
{
	memset(run->stages, 0, comparison->n_stages * sizeof(*run->stages));
	free(run->spans);
	run->spans = NULL;
	run->n_spans = 0;
	run->peak_bytes = 0;
	run->startup_ns = UINT64_MAX;
	run->busy_ns = 0;
	run->overlap_ns = 0;
	run->python_ns = 0;
}

int compare_digest(const struct comparison *comparison, struct compare_run *run,
    const struct trace_event *events, size_t n_events)
{
	uint64_t whole_peak = run->peak_bytes;
	digest_forget(comparison, run);
	run->spans = calloc(n_events + 1, sizeof(*run->spans));
	if (!run->spans)
		return -ENOMEM;
	for (size_t i = 0; i < n_events; i++) {
		bool is_stage = events[i].stage < comparison->n_stages;
		if (events[i].type == TRACE_PROCESS)
			digest_process(run, &events[i], is_stage);
		else if (is_stage && events[i].type == TRACE_CALL)
			digest_call(run, &events[i]);
	}
	if (run->peak_bytes == 0)
		run->peak_bytes = whole_peak;
	qsort(run->spans, run->n_spans, sizeof(*run->spans), digest_by_start);
	return digest_overlap(comparison, run);
}
