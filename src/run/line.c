/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include "atomic.h"
#include "budget.h"
#include "claim.h"
#include "clock.h"
#include "dialogue.h"
#include "fd.h"
#include "frame.h"
#include "limit.h"
#include "pace.h"
#include "scout.h"
#include "slot.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Batches that one of several workers holds: what is being answered, and the next. */
#define LINE_AHEAD 2u

/* When a process that owes answers is first looked at, and how seldom in the end. */
#define LINE_LOOK_MS	 10
#define LINE_LOOK_MAX_MS 1000

/* From which look on one that was told no more is taken for the last that there is room for. */
#define LINE_LOOK_STUCK_MS 80

/* Of so many answers that are owed, so many bytes should come at once. */
#define LINE_MANY      64
#define LINE_GATHERED  4096
#define LINE_GATHER_NS (200u * 1000)

/* How long a process is watched for a second answer to its first record. */
#define LINE_PROOF_MS 2u

/* As recovery.c: how often one record may end a process. */
#define LINE_TRIES	  3u
#define LINE_TRIES_KILLED 25u

/* A batch that was claimed and is not committed. */
struct line_batch {
	uint64_t seq;
	size_t told;  /* bytes of its input that the process has taken */
	size_t until; /* those that a process may take that is not proven; 0: not known yet */
	uint32_t answered;
	size_t size; /* bytes of its output */
};

struct line {
	const struct region *region;
	enum leat_frame frame;
	unsigned position;
	unsigned worker;
	unsigned group;
	unsigned rank;	/* among the group's; see limit.h */
	bool alone;	/* the stage's only worker */
	uint64_t next;	/* hint for a claim; where alone, the next batch */
	bool exhausted; /* there is no more to claim */
	bool looked;	/* and found nothing to take */
	bool failed;
	bool left;		    /* a process has ended of its own accord, owing nothing */
	struct line_batch *batches; /* oldest first */
	uint32_t n_batches;
	uint32_t telling; /* the batch that is being told; n_batches: none */
	struct dialogue dialogue;
	bool proven;	  /* the process has answered its first record with one */
	bool hungry;	  /* it answers only when it has been told more */
	uint64_t answers; /* of the process */
	int look_ms;	  /* how long it may be quiet until it is looked at */
	bool told_since_look;
	bool full; /* it has said what there is no memory for yet */
	bool stall_said;
	unsigned deaths; /* since the last answer */
	unsigned killed;
	uint64_t since_ns; /* the last commit: what a batch takes is counted from there */
	struct scout scout;
	struct launcher *command;
};

static struct slot *line_slot(const struct line *line, uint32_t i)
{
	return slot_at(line->region, line->batches[i].seq);
}

static struct batch line_input(const struct line *line, uint32_t i)
{
	return slot_batch(line->region, line->batches[i].seq, slot_input(line->position));
}

/* Ends the oldest claim with what has been answered of it. */
static void line_commit(struct line *line)
{
	struct line_batch *batch = &line->batches[0];
	struct slot *slot = line_slot(line, 0);
	struct slot_history *history = &slot->history[line->position - 1];
	history->end_ns = clock_wall_ns();
	/* While it waited behind others it was not worked on. */
	if (history->start_ns < line->since_ns)
		history->start_ns = line->since_ns;
	history->cpu_ns = dialogue_is_open(&line->dialogue) ? dialogue_cpu_ns(&line->dialogue) : 0;
	/* Nor while it waited for more input: it is not slow, and wants larger batches. */
	if (line->hungry && history->start_ns + history->cpu_ns < history->end_ns)
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
static void line_fail_at(struct line *line, uint32_t index, const char *why)
{
	slot_cut(line->region, line->batches[0].seq, line->position, index, why);
	line_commit(line);
	while (line->n_batches > 0)
		(void)ring_take_back(line->region, line->batches[--line->n_batches].seq,
		    line->position, line->worker);
	line->failed = true;
}

/* The first record without an answer fails; without one, the run does. */
__attribute__((format(printf, 2, 3))) static void line_fail(
    struct line *line, const char *format, ...)
{
	char why[512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (line->n_batches > 0)
		line_fail_at(line, line->batches[0].answered, why);
	else
		notices_fail(&line->command->context->notices, "stage '%s': %s",
		    line->command->stage->name, why);
	line->failed = true;
}

static void line_begin(struct line *line, uint64_t seq)
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
static bool line_claim(struct line *line, uint64_t *ret_seq)
{
	if (!line->alone)
		return ring_claim_any(
		    line->region, line->position, line->worker, &line->next, ret_seq);
	if (!ring_claim_this(line->region, line->next, line->position, line->worker))
		return false;
	*ret_seq = line->next++;
	return true;
}

static bool line_may_claim(const struct line *line)
{
	if (line->n_batches == line->region->header->n_slots)
		return false;
	if (!line->proven && !line->hungry)
		return line->n_batches == 0;
	return line->alone || line->hungry || line->n_batches < LINE_AHEAD;
}

/* Takes what it may; `looked` says that there is no more. */
static void line_take(struct line *line)
{
	uint64_t seq;
	line->looked = false;
	bool allowed = limit_allows(line->region, line->group, line->rank);
	while (!line->exhausted && line_may_claim(line)) {
		if (!allowed || !line_claim(line, &seq)) {
			line->looked = true;
			line->exhausted =
			    ring_all_claimed(line->region, line->position, line->next);
			return;
		}
		line_begin(line, seq);
		struct slot *slot = slot_at(line->region, seq);
		/* Without records it is through at once. */
		if (slot->n_records[slot_input(line->position)] == 0 && line->n_batches == 1)
			line_commit(line);
	}
}

/* Whether a process has to be started: the last one has died. */
static bool line_lacks_process(const struct line *line)
{
	return line->n_batches > 0 && !dialogue_is_open(&line->dialogue);
}

/* Whether it may take more than it might when it took last, so that no bell will tell of it. */
static bool line_may_take_more(const struct line *line)
{
	return !line->exhausted && !line->looked && line_may_claim(line);
}

/*
 * How much of a batch may be told now. A process that is not proven gets one record, which is
 * not the batch's first where another process has died in the middle of it.
 */
static size_t line_limit(struct line *line, uint32_t i)
{
	struct line_batch *batch = &line->batches[i];
	struct batch input = line_input(line, i);
	if (line->proven || line->hungry)
		return input.size;
	/* All its answers are in the oldest batch. */
	if (i == 0 && batch->until == 0)
		batch->until =
		    batch_size(&input, line->frame, batch->answered - (uint32_t)line->answers + 1);
	return batch->until;
}

static bool line_wants_to_tell(struct line *line)
{
	return line->telling < line->n_batches &&
	       line->batches[line->telling].told < line_limit(line, line->telling);
}

static void line_tell(struct line *line)
{
	while (line->telling < line->n_batches) {
		struct line_batch *batch = &line->batches[line->telling];
		struct batch input = line_input(line, line->telling);
		size_t left = line_limit(line, line->telling) - batch->told;
		if (left > 0)
			batch->told += dialogue_say(
			    &line->dialogue, (const char *)input.data + batch->told, left);
		line->told_since_look |= left > 0;
		if (batch->told < input.size)
			return;
		line->telling++;
	}
}

/* How many of the oldest batch's records the process has been told, the last perhaps in part. */
static uint32_t line_told(const struct line *line)
{
	struct batch input = line_input(line, 0);
	size_t told = line->batches[0].told;
	uint32_t n = 0;
	size_t size = 0;
	if (line->telling > 0)
		return input.n_records;
	(void)frame_scan(line->frame, input.data, told, UINT64_MAX, UINT32_MAX, &n, &size);
	return n + (told > size);
}

/* The process has said more than it was asked for. */
static void line_fail_surplus(struct line *line)
{
	struct line_batch *batch = &line->batches[0];
	if (line->n_batches > 0 && batch->answered > 0) {
		/* The last answer may be the one too many: its record is the one to name. */
		struct batch output = {LEAT_RECORDS, batch->answered,
		    slot_area(line->region, batch->seq, slot_output(line->position)), batch->size};
		batch->answered--;
		batch->size = batch_size(&output, line->frame, batch->answered);
	}
	line_fail(line,
	    "has given more answers than the %" PRIu64 " it was asked for; line: wants one for "
	    "each record, batch: and stream: take any number",
	    line->answers);
}

/* Another process is told what the last one has not answered. */
static void line_start_over(struct line *line)
{
	for (uint32_t i = 0; i < line->n_batches; i++) {
		struct batch input = line_input(line, i);
		line->batches[i].told = batch_size(&input, line->frame, line->batches[i].answered);
		line->batches[i].until = 0;
	}
	line->telling = 0;
	line->answers = 0;
	line->proven = false;
	line->look_ms = LINE_LOOK_MS;
	dialogue_end(&line->dialogue);
}

static void line_give_back(struct line *line)
{
	while (line->n_batches > 0) {
		uint64_t seq = line->batches[--line->n_batches].seq;
		slot_at(line->region, seq)->history[line->position - 1].attempts--;
		ring_give_back(line->region, seq, line->position, line->worker);
	}
	/* They come again, and other workers may be through. */
	line->exhausted = false;
	line_start_over(line);
}

/*
 * Whether the oldest claim's output may be so large. If not, for now: alone it stops listening
 * until the batch is the oldest of all. One of several must not, as that one may come
 * to this stage yet; it gives all back, to be asked again when their time has come.
 */
static bool line_has_room(struct line *line, uint64_t size)
{
	const struct region *region = line->region;
	uint64_t seq = line->batches[0].seq;
	unsigned area = slot_output(line->position);
	if (budget_reserve(region, seq, area, size) ||
	    (budget_await(region, seq) && budget_reserve(region, seq, area, size)))
		return true;
	if (line->alone)
		line->full = true;
	else
		line_give_back(line);
	return false;
}

/* How long an answer may be; one that no batch can hold is not kept any longer. */
static uint64_t line_answer_max(const struct line *line)
{
	const struct region_header *header = line->region->header;
	uint64_t most = header->area_capacity - frame_size(line->frame, 0);
	return header->max_record < most ? header->max_record : most;
}

static void line_fail_length(struct line *line)
{
	uint64_t most = line_answer_max(line);
	if (most == line->region->header->max_record)
		line_fail(
		    line, "answers with a record longer than the limit of %" PRIu64 " bytes", most);
	else
		line_fail(line,
		    "answers with a record longer than the %" PRIu64
		    " bytes that fit into memory; raise --memory",
		    most);
}

/* Whether only a further part of a long answer has come, which was asked for when it began. */
static bool line_goes_on(struct line *line, size_t there)
{
	struct dialogue *dialogue = &line->dialogue;
	return dialogue->searched > 0 && there <= line_answer_max(line) &&
	       dialogue_is_amid(dialogue, frame_separator(line->frame));
}

/* Gives the oldest batch of what has been said. Returns whether it took something. */
static bool line_hand_out(struct line *line)
{
	struct dialogue *dialogue = &line->dialogue;
	struct line_batch *batch = &line->batches[0];
	size_t there = dialogue->end - dialogue->start;
	if (there == 0 || line_goes_on(line, there))
		return false;
	uint32_t asked = line->n_batches > 0 ? line_told(line) - batch->answered : 0;
	/* What of it fits into the batch follows from its records, not from how they were read. */
	uint64_t most =
	    line->region->header->area_capacity - (line->n_batches > 0 ? batch->size : 0);
	uint32_t n = 0;
	size_t size = 0;
	if (asked == 0) {
		line_fail_surplus(line);
		return false;
	}
	if (frame_scan(line->frame, dialogue->data + dialogue->start, there < most ? there : most,
		line_answer_max(line), asked, &n, &size) < 0) {
		line_fail_length(line);
		return false;
	}
	if (n == 0 && there > most) {
		line_fail(line, "gives more than a batch can hold, which is %" PRIu64 " bytes",
		    line->region->header->area_capacity);
		return false;
	}
	if (n == 0) {
		dialogue->searched = line->frame == LEAT_U32 ? 0 : there;
		return false;
	}
	if (!line_has_room(line, batch->size + size))
		return false;
	memcpy(slot_area(line->region, batch->seq, slot_output(line->position)) + batch->size,
	    dialogue->data + dialogue->start, size);
	dialogue_take(dialogue, size);
	batch->size += size;
	batch->answered += n;
	line->answers += n;
	line->deaths = line->killed = 0;
	return true;
}

/* Whether the process has said something although it owes nothing. */
static bool line_has_surplus(const struct line *line)
{
	bool only_one = line->n_batches == 1 || line->batches[1].told == 0;
	return line->dialogue.end > line->dialogue.start && only_one &&
	       line_told(line) == line->batches[0].answered;
}

/* Commits what has been answered. */
static void line_pass_on(struct line *line)
{
	while (line->n_batches > 0 && line->batches[0].answered ==
					  line_slot(line, 0)->n_records[slot_input(line->position)])
		line_commit(line);
}

/*
 * Hands out what the process has said. Its first answer stays for a moment, as a second one
 * to the same record would come at once.
 */
static void line_hear(struct line *line)
{
	line->full = false;
	while (!line->failed && line_hand_out(line)) {
		line->look_ms = LINE_LOOK_MS;
		line->stall_said = false;
		if (!line->proven && line_has_surplus(line))
			line_fail_surplus(line);
		if (!line->failed && (line->proven || line->hungry))
			line_pass_on(line);
	}
}

/* Whether the process has given its first answer and is watched for more. */
static bool line_proves(const struct line *line)
{
	return !line->proven && !line->hungry && line->answers > 0;
}

/* Counted from the answer, as a bell may ring again and again. */
static void line_prove(struct line *line)
{
	if (clock_wall_ns() - line->dialogue.heard_ns < LINE_PROOF_MS * 1000000u)
		return;
	line->proven = true;
	line_pass_on(line);
}

/* A last answer without its separator is one, if the process had time to say it all. */
static void line_complete(struct line *line)
{
	struct dialogue *dialogue = &line->dialogue;
	bool clean = WIFEXITED(dialogue->child.status);
	if (dialogue->end == dialogue->start || line->frame == LEAT_U32 || !clean)
		return;
	dialogue->data[dialogue->end++] = frame_separator(line->frame);
	line_hear(line);
}

static uint64_t line_owed(const struct line *line)
{
	uint64_t owed = 0;
	for (uint32_t i = 0; i < line->n_batches; i++)
		owed += line_input(line, i).n_records - line->batches[i].answered;
	return owed;
}

static const char *line_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void line_judge_exit(struct line *line, const char *how)
{
	uint64_t owed = line_owed(line);
	bool clean = WEXITSTATUS(line->dialogue.child.status) == 0;
	/* It has heard the end of its input. */
	bool knew = line->exhausted && line->telling == line->n_batches;
	if (line->n_batches > 0 && knew)
		line_fail(line, "%s after %" PRIu64 " answer%s to %" PRIu64 " record%s", how,
		    line->answers, line_plural(line->answers), line->answers + owed,
		    line_plural(line->answers + owed));
	else if (line->n_batches > 0)
		line_fail(line, "%s after %" PRIu64 " answer%s, before its input had ended", how,
		    line->answers, line_plural(line->answers));
	else if (!clean)
		line_fail(line, "%s after its last answer", how);
	line->left = true;
}

/* The process has ended. */
static void line_judge(struct line *line)
{
	const struct child *child = &line->dialogue.child;
	char how[128];
	line_complete(line);
	/* It may have been given back for want of memory. */
	if (line->failed || !dialogue_is_open(&line->dialogue))
		return;
	line_pass_on(line);
	launcher_describe(line->command, child, how, sizeof(how));
	if (!WIFSIGNALED(child->status)) {
		line_judge_exit(line, how);
		line_start_over(line);
		return;
	}
	line->deaths++;
	line->killed += WTERMSIG(child->status) == SIGKILL;
	bool hopeless =
	    line->killed >= LINE_TRIES_KILLED || line->deaths - line->killed >= LINE_TRIES;
	unsigned deaths = line->deaths;
	line_start_over(line);
	if (hopeless)
		line_fail(line, "%s, %u times", how, deaths);
}

static void line_say_stall(struct line *line)
{
	const struct launcher_context *context = line->command->context;
	const struct dialogue *dialogue = &line->dialogue;
	bool hungry = dialogue_is_hungry(dialogue);
	uint64_t owed = line_owed(line);
	line->stall_said = true;
	notices_post(&line->command->context->notices,
	    "stage '%s': process %d has answered nothing for %u s and owes %" PRIu64
	    " answer%s: %s",
	    line->command->stage->name, dialogue->child.started_pid, context->stall_s, owed,
	    line_plural(owed),
	    line->exhausted && dialogue->to < 0 ? "its input has ended; --timeout would end it"
	    : hungry ? "it waits for more input, so it keeps its answers in a buffer; have it "
		       "flush each line (fflush(), -u, --line-buffered), or use batch:"
		     : "it is still at work; --timeout would end it");
}

/* Whether the oldest batch has a record that was told and not answered. */
static bool line_owed_told(const struct line *line)
{
	return line->n_batches > 0 && line_told(line) > line->batches[0].answered;
}

/* The next look, after one that changed nothing. */
static int line_later(const struct line *line)
{
	return line->look_ms < LINE_LOOK_MAX_MS / 2 ? 2 * line->look_ms : LINE_LOOK_MAX_MS;
}

/* A process that keeps its answers back gets more at a time. */
static void line_look(struct line *line)
{
	bool waits_for_us = line_owed_told(line) && !line_wants_to_tell(line);
	if (!waits_for_us || !dialogue_is_hungry(&line->dialogue)) {
		line->look_ms = line_later(line);
		return;
	}
	/* What hurries the source is soon there; where the input itself is slow, it is not. */
	bool stuck = !line->told_since_look && line->look_ms >= LINE_LOOK_STUCK_MS;
	/* There is no room for what it wants to hear first; as it has said nothing, another may. */
	if (stuck && line->answers == 0 && launcher_unbuffer(line->command)) {
		line->hungry = false;
		line_start_over(line);
		return;
	}
	line->look_ms = line->told_since_look ? LINE_LOOK_MS : line_later(line);
	line->told_since_look = false;
	line->hungry = true;
	pace_hurry(line->region);
}

/* A process has been quiet: what is to be done about it. */
static void line_check_time(struct line *line)
{
	const struct launcher_context *context = line->command->context;
	uint64_t quiet_ms = (clock_wall_ns() - line->dialogue.heard_ns) / 1000000;
	if (context->timeout_s > 0 && quiet_ms >= 1000ull * context->timeout_s) {
		line_fail(line, "has not answered for %u s, the --timeout, and was ended",
		    context->timeout_s);
		return;
	}
	if (context->stall_s > 0 && !line->stall_said && quiet_ms >= 1000ull * context->stall_s)
		line_say_stall(line);
	if (quiet_ms >= (uint64_t)line->look_ms)
		line_look(line);
}

/*
 * A process that flushes each line would wake this thread for each. While it owes many, they
 * are left to gather for a moment: nobody waits for them one by one.
 */
static bool line_gather(const struct line *line)
{
	struct pollfd stop = {.fd = line->command->context->stop, .events = POLLIN};
	struct timespec moment = {.tv_nsec = LINE_GATHER_NS};
	uint64_t owed = line_owed(line);
	if (owed < LINE_MANY || line->dialogue.heard_bytes >= LINE_GATHERED)
		return true;
	return ppoll(&stop, 1, &moment, NULL) <= 0;
}

/* Waits for the ring, the process or the end of the run. Returns false for the last. */
static bool line_wait(struct line *line)
{
	struct pollfd items[2 + DIALOGUE_POLL] = {
	    {.fd = line->command->context->stop, .events = POLLIN},
	    {.fd = line->scout.bell, .events = POLLIN},
	};
	struct dialogue *dialogue = &line->dialogue;
	bool waits =
	    dialogue_is_open(dialogue) && !line->full && (line->n_batches > 0 || dialogue->to < 0);
	dialogue_poll(dialogue, line_wants_to_tell(line), &items[2]);
	if (line->full)
		items[3].fd = -1;
	int patience_ms = line_proves(line) ? (int)LINE_PROOF_MS : waits ? line->look_ms : -1;
	int n = poll(items, 2 + DIALOGUE_POLL, patience_ms);
	if (items[0].revents)
		return false;
	/* Nobody has listened: it is not the process that was quiet. */
	if (line->full)
		dialogue->heard_ns = clock_wall_ns();
	if (n > 0 && items[1].revents)
		fd_hush(line->scout.bell);
	if (n > 0 && dialogue_listen(dialogue, &items[2]) < 0)
		line_fail(line, "out of memory");
	/* While it is watched it owes nothing, whatever it waits for. */
	if (line_proves(line) && !line->failed)
		line_prove(line);
	else if (waits && !line->failed)
		line_check_time(line);
	return true;
}

/* Tells, hears and judges what can be now. */
static void line_step(struct line *line)
{
	struct dialogue *dialogue = &line->dialogue;
	if (line->n_batches > 0 && line->left) {
		line_fail(line, "has ended before the input did; a line: command must go on");
		return;
	}
	if (line->n_batches > 0 && !dialogue_is_open(dialogue)) {
		int r = dialogue_start(dialogue, line->command);
		if (r < 0) {
			line_fail(line, "cannot be started: %s", strerror(-r));
			return;
		}
	}
	if (!dialogue_is_open(dialogue))
		return;
	line_tell(line);
	if (line->exhausted && line->telling == line->n_batches)
		dialogue_hush(dialogue);
	line_hear(line);
	if (!line->failed && dialogue_is_over(dialogue))
		line_judge(line);
}

static bool line_is_done(const struct line *line)
{
	return line->failed ||
	       (line->exhausted && line->n_batches == 0 && !dialogue_is_open(&line->dialogue));
}

static int line_open(struct line *line)
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
	int r = scout_start(&line->scout, region, line->group);
	if (r < 0)
		free(line->batches);
	return r;
}

void line_run(
    const struct region *region, unsigned position, unsigned worker, struct launcher *command)
{
	struct line line = {
	    .region = region,
	    .frame = (enum leat_frame)region->header->frame,
	    .position = position,
	    .worker = worker,
	    .look_ms = LINE_LOOK_MS,
	    .command = command,
	};
	int r = line_open(&line);
	if (r < 0) {
		notices_fail(&command->context->notices, "stage '%s': %s", command->stage->name,
		    strerror(-r));
		return;
	}
	do {
		line_take(&line);
		line_step(&line);
	} while (!line_is_done(&line) && (line_may_take_more(&line) || line_lacks_process(&line) ||
					     (line_gather(&line) && line_wait(&line))));
	dialogue_end(&line.dialogue);
	scout_end(&line.scout);
	free(line.batches);
}
