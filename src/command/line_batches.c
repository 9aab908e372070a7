/* SPDX-License-Identifier: Apache-2.0 */
#include "line_batches.h"

#include "atomic.h"
#include "claim.h"
#include "clock.h"
#include "deadlock.h"
#include "frame.h"
#include "memory_budget.h"
#include "slot.h"
#include "worker_limit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Batches that one of several workers holds: what is being answered, and the next. */
#define LINE_FLOW_AHEAD 2u

/* It has been told more, or has answered: it does not starve. */
static void line_batches_is_fed(struct line_worker *line)
{
	line->stands = false;
	deadlock_report(line->region, line->worker, DEADLOCK_NONE);
}

static struct slot *line_batches_slot(const struct line_worker *line, uint32_t i)
{
	return slot_at(line->region, line->batches[i].seq);
}

static struct batch line_batches_input(const struct line_worker *line, uint32_t i)
{
	return slot_batch(line->region, line->batches[i].seq, slot_input(line->position));
}

/* Ends the oldest claim with what has been answered of it. */
static void line_batches_commit(struct line_worker *line)
{
	struct line_batch *batch = &line->batches[0];
	struct slot *slot = line_batches_slot(line, 0);
	struct slot_history *history = &slot->history[line->position - 1];
	history->end_ns = clock_wall_ns();
	/* While it waited behind others it was not worked on. */
	if (history->start_ns < line->since_ns)
		history->start_ns = line->since_ns;
	history->cpu_ns =
	    line_process_is_open(&line->dialogue) ? line_process_cpu_ns(&line->dialogue) : 0;
	/* Nor while it waited for more input: it is not slow, and wants larger batches. */
	if (line->awaits_input && history->start_ns + history->cpu_ns < history->end_ns)
		history->start_ns = history->end_ns - history->cpu_ns;
	history->records_out = batch->answered;
	line->since_ns = history->end_ns;
	slot_set_output(
	    slot, slot_output(line->position), LEAT_RECORDS, batch->size, batch->answered);
	/* relaxed: the supervisor only asks whether it has changed */
	atomic_add_relaxed(&region_worker(line->region, line->worker)->commits, 1);
	(void)ring_commit(line->region, batch->seq, line->position, line->worker);
	line->n_batches--;
	line->telling -= line->telling > 0;
	memmove(line->batches, line->batches + 1, line->n_batches * sizeof(*line->batches));
}

/* The oldest claim fails at a record; what follows it is nobody's any more. */
static void line_batches_fail_at(struct line_worker *line, uint32_t index, const char *why)
{
	slot_cut(line->region, line->batches[0].seq, line->position, index, why);
	line_batches_commit(line);
	while (line->n_batches > 0)
		(void)ring_take_back(line->region, line->batches[--line->n_batches].seq,
		    line->position, line->worker);
	line->failed = true;
}

void line_batches_fail(struct line_worker *line, const char *format, ...)
{
	char why[512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (line->n_batches > 0)
		line_batches_fail_at(line, line->batches[0].answered, why);
	else
		worker_messages_fail(&line->command->context->notices, "stage '%s': %s",
		    line->command->stage->name, why);
	line->failed = true;
}

static void line_batches_begin(struct line_worker *line, uint64_t seq)
{
	struct slot *slot = slot_at(line->region, seq);
	struct slot_history *history = &slot->history[line->position - 1];
	history->attempts++;
	history->worker = line->worker;
	history->records_in = slot->n_records[slot_input(line->position)];
	history->start_ns = clock_wall_ns();
	line->batches[line->n_batches++] = (struct line_batch){.seq = seq};
}

/*
 * Alone, it takes the batches as they come, and ahead of their commits: the order is its
 * own. One of several takes what is there.
 */
static bool line_batches_claim(struct line_worker *line, uint64_t *ret_seq)
{
	if (!line->alone)
		return ring_claim_any(
		    line->region, line->position, line->worker, &line->next, ret_seq);
	if (!ring_claim_this(line->region, line->next, line->position, line->worker))
		return false;
	*ret_seq = line->next++;
	return true;
}

static bool line_batches_may_claim(const struct line_worker *line)
{
	if (line->rests || line->n_batches == line->region->header->n_slots)
		return false;
	if (!line->proven && !line->awaits_input)
		return line->n_batches == 0;
	return line->alone || line->awaits_input || line->n_batches < LINE_FLOW_AHEAD;
}

void line_batches_claim_ahead(struct line_worker *line)
{
	uint64_t seq;
	line->found_none = false;
	bool allowed = worker_limit_allows(line->region, line->group, line->rank);
	while (!line->exhausted && line_batches_may_claim(line)) {
		if (!allowed || !line_batches_claim(line, &seq)) {
			line->found_none = true;
			break;
		}
		line_batches_begin(line, seq);
		struct slot *slot = slot_at(line->region, seq);
		/* Without records it is through at once. */
		if (slot->n_records[slot_input(line->position)] == 0 && line->n_batches == 1)
			line_batches_commit(line);
	}
	/* Where it holds them all, there may be none to look for. */
	bool all = line->n_batches == line->region->header->n_slots;
	if (line->found_none || all)
		line->exhausted = ring_all_claimed(line->region, line->position, line->next);
}

bool line_batches_may_claim_more(const struct line_worker *line)
{
	return !line->exhausted && !line->found_none && line_batches_may_claim(line);
}

/*
 * How much of a batch may be told now. A process that is not proven gets one record, which is
 * not the batch's first where another process has died in the middle of it.
 */
static size_t line_batches_limit(struct line_worker *line, uint32_t i)
{
	struct line_batch *batch = &line->batches[i];
	struct batch input = line_batches_input(line, i);
	if (line->proven || line->awaits_input)
		return input.size;
	/* All its answers are in the oldest batch. */
	if (i == 0 && batch->until == 0)
		batch->until =
		    batch_size(&input, line->frame, batch->answered - (uint32_t)line->answers + 1);
	return batch->until;
}

bool line_batches_wants_to_send(struct line_worker *line)
{
	return line->telling < line->n_batches &&
	       line->batches[line->telling].told < line_batches_limit(line, line->telling);
}

void line_batches_send(struct line_worker *line)
{
	while (line->telling < line->n_batches) {
		struct line_batch *batch = &line->batches[line->telling];
		struct batch input = line_batches_input(line, line->telling);
		size_t left = line_batches_limit(line, line->telling) - batch->told;
		size_t told = 0;
		if (left > 0)
			told = line_process_send(
			    &line->dialogue, (const char *)input.data + batch->told, left);
		batch->told += told;
		if (told > 0)
			line_batches_is_fed(line);
		line->sent_since_check |= told > 0;
		if (batch->told < input.size)
			return;
		line->telling++;
	}
}

/* How many of the oldest batch's records the process has been told, the last perhaps in part. */
static uint32_t line_batches_told(const struct line_worker *line)
{
	struct batch input = line_batches_input(line, 0);
	size_t told = line->batches[0].told;
	uint32_t n = 0;
	size_t size = 0;
	if (line->telling > 0)
		return input.n_records;
	(void)frame_scan(line->frame, input.data, told, UINT64_MAX, UINT32_MAX, &n, &size);
	return n + (told > size);
}

/* The process has said more than it was asked for. */
static void line_batches_fail_surplus(struct line_worker *line)
{
	struct line_batch *batch = &line->batches[0];
	if (line->n_batches > 0 && batch->answered > 0) {
		/* The last answer may be the one too many: its record is the one to name. */
		struct batch output = {LEAT_RECORDS, batch->answered,
		    slot_area(line->region, batch->seq, slot_output(line->position)), batch->size};
		batch->answered--;
		batch->size = batch_size(&output, line->frame, batch->answered);
	}
	line_batches_fail(line,
	    "has given more answers than the %" PRIu64 " it was asked for; line: wants one for "
	    "each record, batch: and stream: take any number",
	    line->answers);
}

void line_batches_start_over(struct line_worker *line)
{
	for (uint32_t i = 0; i < line->n_batches; i++) {
		struct batch input = line_batches_input(line, i);
		line->batches[i].told = batch_size(&input, line->frame, line->batches[i].answered);
		line->batches[i].until = 0;
	}
	line->telling = 0;
	line->answers = 0;
	line->proven = false;
	line->awaits_input = false;
	line->rests = false;
	line_batches_is_fed(line);
	line->look_ms = LINE_LOOK_MS;
	line_process_end(&line->dialogue);
}

static void line_batches_give_back(struct line_worker *line)
{
	while (line->n_batches > 0) {
		uint64_t seq = line->batches[--line->n_batches].seq;
		slot_at(line->region, seq)->history[line->position - 1].attempts--;
		ring_give_back(line->region, seq, line->position, line->worker);
	}
	/* They come again, and other workers may be through. */
	line->exhausted = false;
	line_batches_start_over(line);
}

/*
 * Whether the oldest claim's output may be so large. If not, for now: alone it stops listening
 * until the batch is the oldest of all. One of several must not, as that one may come
 * to this stage yet; it gives all back, to be asked again when their time has come.
 */
static bool line_batches_has_room(struct line_worker *line, uint64_t size)
{
	const struct region *region = line->region;
	uint64_t seq = line->batches[0].seq;
	unsigned area = slot_output(line->position);
	if (memory_budget_reserve_or_await(region, seq, area, size))
		return true;
	if (line->alone)
		line->full = true;
	else
		line_batches_give_back(line);
	return false;
}

/* How long an answer may be; one that no batch can hold is not kept any longer. */
static uint64_t line_batches_answer_max(const struct line_worker *line)
{
	const struct region_header *header = line->region->header;
	uint64_t most = header->area_capacity - frame_size(line->frame, 0);
	return header->max_record < most ? header->max_record : most;
}

static void line_batches_fail_length(struct line_worker *line)
{
	uint64_t most = line_batches_answer_max(line);
	if (most == line->region->header->max_record)
		line_batches_fail(
		    line, "answers with a record longer than the limit of %" PRIu64 " bytes", most);
	else
		line_batches_fail(line,
		    "answers with a record longer than the %" PRIu64
		    " bytes that fit into memory; raise --memory",
		    most);
}

/* Whether only a further part of a long answer has come, which was asked for when it began. */
static bool line_batches_goes_on(struct line_worker *line, size_t there)
{
	struct line_process *dialogue = &line->dialogue;
	return dialogue->searched > 0 && there <= line_batches_answer_max(line) &&
	       line_process_is_inside_answer(dialogue, frame_separator(line->frame));
}

/* Gives the oldest batch of what has been said. Returns whether it took something. */
static bool line_batches_hand_out(struct line_worker *line)
{
	struct line_process *dialogue = &line->dialogue;
	struct line_batch *batch = &line->batches[0];
	size_t there = dialogue->end - dialogue->start;
	if (there == 0 || line_batches_goes_on(line, there))
		return false;
	uint32_t asked = line->n_batches > 0 ? line_batches_told(line) - batch->answered : 0;
	/* What of it fits into the batch follows from its records, not from how they were read. */
	uint64_t most =
	    line->region->header->area_capacity - (line->n_batches > 0 ? batch->size : 0);
	uint32_t n = 0;
	size_t size = 0;
	if (asked == 0) {
		line_batches_fail_surplus(line);
		return false;
	}
	if (frame_scan(line->frame, dialogue->data + dialogue->start, there < most ? there : most,
		line_batches_answer_max(line), asked, &n, &size) < 0) {
		line_batches_fail_length(line);
		return false;
	}
	if (n == 0 && there > most) {
		line_batches_fail(line,
		    "gives more than a batch can hold, which is %" PRIu64 " bytes",
		    line->region->header->area_capacity);
		return false;
	}
	if (n == 0) {
		dialogue->searched = line->frame == LEAT_U32 ? 0 : there;
		return false;
	}
	if (!line_batches_has_room(line, batch->size + size))
		return false;
	line_batches_is_fed(line);
	memcpy(slot_area(line->region, batch->seq, slot_output(line->position)) + batch->size,
	    dialogue->data + dialogue->start, size);
	line_process_take(dialogue, size);
	batch->size += size;
	batch->answered += n;
	line->answers += n;
	line->tries = (struct retry_count){0};
	return true;
}

/* Whether the process has said something although it owes nothing. */
static bool line_batches_has_surplus(const struct line_worker *line)
{
	bool only_one = line->n_batches == 1 || line->batches[1].told == 0;
	return line->dialogue.end > line->dialogue.start && only_one &&
	       line_batches_told(line) == line->batches[0].answered;
}

void line_batches_commit_answered(struct line_worker *line)
{
	while (line->n_batches > 0 &&
	       line->batches[0].answered ==
		   line_batches_slot(line, 0)->n_records[slot_input(line->position)])
		line_batches_commit(line);
}

void line_batches_receive(struct line_worker *line)
{
	line->full = false;
	while (!line->failed && line_batches_hand_out(line)) {
		line->look_ms = LINE_LOOK_MS;
		line->stall_reported = false;
		if (!line->proven && line_batches_has_surplus(line))
			line_batches_fail_surplus(line);
		if (!line->failed && (line->proven || line->awaits_input))
			line_batches_commit_answered(line);
	}
}

bool line_batches_is_checking_first(const struct line_worker *line)
{
	return !line->proven && !line->awaits_input && line->answers > 0;
}

void line_batches_accept_first(struct line_worker *line)
{
	uint64_t now = job_control_clock_ns(&line->command->context->suspend);
	if (now - line->dialogue.heard_ns < LINE_PROOF_MS * 1000000u)
		return;
	line->proven = true;
	line_batches_commit_answered(line);
}

uint64_t line_batches_unanswered(const struct line_worker *line)
{
	uint64_t owed = 0;
	for (uint32_t i = 0; i < line->n_batches; i++)
		owed += line_batches_input(line, i).n_records - line->batches[i].answered;
	return owed;
}

bool line_batches_unanswered_sent(const struct line_worker *line)
{
	return line->n_batches > 0 && line_batches_told(line) > line->batches[0].answered;
}
