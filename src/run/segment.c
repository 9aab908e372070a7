/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

uint32_t segment_trace_stage(const struct segment *segment, uint32_t stage)
{
	return segment->options->trace_stage + segment->first + stage;
}

void segment_notice(const struct segment *segment, const char *text)
{
	if (segment->options->notice)
		segment->options->notice(segment->options->notice_context, LEAT_WARNING, text);
}

int segment_prepare(struct segment *segment, int bell, struct leat_error *reterr)
{
	segment->started = true;
	return segment->type->prepare ? segment->type->prepare(segment, bell, reterr) : 0;
}

int segment_ready(struct segment *segment, struct leat_error *reterr)
{
	return segment->type->ready ? segment->type->ready(segment, reterr) : 1;
}

int segment_poll(const struct segment *segment, struct pollfd *items)
{
	return segment->started ? segment->type->poll(segment, items) : 0;
}

uint64_t segment_deadline_ns(const struct segment *segment)
{
	bool has = segment->type->deadline_ns && !segment->done;
	return has ? segment->type->deadline_ns(segment) : 0;
}

void segment_step(struct segment *segment)
{
	if (segment->started)
		segment->type->step(segment);
}

bool segment_needs_reader_watch(const struct segment *segment)
{
	return segment->started && !segment->done && segment->type->needs_reader_watch &&
	       segment->type->needs_reader_watch(segment);
}

void segment_interrupt(struct segment *segment)
{
	segment->interrupted = true;
	segment->type->interrupt(segment);
}

void segment_abort(struct segment *segment, bool force)
{
	segment->aborted = true;
	if (segment->started && !segment->done)
		segment->type->abort(segment, force);
}

bool segment_leave_input(struct segment *segment)
{
	return !segment->type->leave_input || segment->type->leave_input(segment);
}

int segment_end(struct segment *segment)
{
	return segment->type->end(segment);
}
