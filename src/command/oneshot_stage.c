/* SPDX-License-Identifier: Apache-2.0 */
#include "oneshot_stage.h"

#include "frame.h"
#include "oneshot.h"
#include "retry_count.h"
#include "slot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is asked for at a time. */
#define EACH_STEP (64u << 10)

struct oneshot_stage {
	struct launcher *command;
	const struct c_call_output *output;
	struct c_call_result *result;
	size_t capacity; /* of the output, by now */
	struct oneshot pump;
};

/* Room behind what is there, but for a separator that may have to be added. */
static size_t oneshot_stage_room(const struct oneshot_stage *each)
{
	size_t used = each->result->size + 1;
	return each->capacity > used ? each->capacity - used : 0;
}

/* A pump's `grow`. */
static int oneshot_stage_grow(struct oneshot *pump)
{
	struct oneshot_stage *each = pump->context;
	const struct c_call_output *output = each->output;
	size_t used = each->result->size + pump->output_size + 1;
	size_t wanted = used + EACH_STEP < output->most ? used + EACH_STEP : output->most;
	int r = wanted > used ? output->grow(output->context, wanted, &each->capacity) : -ENOSPC;
	pump->capacity = oneshot_stage_room(each);
	return r;
}

/* Runs one process to its end, again if it was killed. Returns 0 or -ECANCELED. */
static int oneshot_stage_pump(struct oneshot_stage *each)
{
	struct oneshot *pump = &each->pump;
	struct c_call_result *result = each->result;
	pump->output = (char *)each->output->data + result->size;
	pump->capacity = oneshot_stage_room(each);
	struct retry_count tries = {0};
	int r;
	do {
		r = oneshot_run(pump);
		if (r == 0 && pump->signal != 0)
			retry_count_count(&tries, pump->signal);
	} while (r == 0 && pump->signal != 0 && !retry_count_is_spent(&tries));
	if (r == 0 && pump->signal != 0) {
		size_t size = strlen(pump->why);
		snprintf(pump->why + size, sizeof(pump->why) - size, ", %u times",
		    tries.crashed + tries.killed);
	}
	return r;
}

/* A last line that lacks its newline is a record all the same, as on stdin. */
static void oneshot_stage_complete(struct oneshot_stage *each)
{
	struct oneshot *pump = &each->pump;
	char separator = frame_separator(each->output->frame);
	if (each->output->frame != LEAT_U32 && pump->output_size > 0 &&
	    pump->output[pump->output_size - 1] != separator)
		pump->output[pump->output_size++] = separator;
}

/* Takes what a process gave as records; what is wrong with them goes to the pump's why. */
static void oneshot_stage_take_records(struct oneshot_stage *each)
{
	struct oneshot *pump = &each->pump;
	struct c_call_result *result = each->result;
	uint32_t n_records = 0;
	size_t size = 0;
	oneshot_stage_complete(each);
	if (frame_scan(each->output->frame, pump->output, pump->output_size,
		each->output->max_record, UINT32_MAX - result->n_records, &n_records, &size) < 0 ||
	    size < pump->output_size) {
		bool cut = each->output->frame == LEAT_U32;
		snprintf(pump->why, sizeof(pump->why),
		    cut ? "gives a record that is cut off, or longer than the limit of %" PRIu64
			: "gives a record over the limit of %" PRIu64 " bytes",
		    each->output->max_record);
		return;
	}
	result->size += size;
	result->n_records += n_records;
}

/* What a batch gives is bytes to us, such as gzip's; how many records they are is a guess. */
static void oneshot_stage_take_bytes(struct oneshot_stage *each)
{
	struct c_call_result *result = each->result;
	size_t size = 0;
	(void)frame_scan(each->output->frame, each->pump.output, each->pump.output_size, UINT64_MAX,
	    UINT32_MAX, &result->n_records, &size);
	result->size = each->pump.output_size;
}

/* One process, whose records are kept if it ends well. Returns 0, 1 if it failed, or -errno. */
static int oneshot_stage_process(struct oneshot_stage *each, uint32_t index)
{
	int r = oneshot_stage_pump(each);
	if (r < 0)
		return r;
	each->result->later = each->pump.later;
	if (each->pump.later)
		return 1;
	if (!each->pump.why[0] && each->command->stage->kind == STAGE_BATCH)
		oneshot_stage_take_bytes(each);
	else if (!each->pump.why[0])
		oneshot_stage_take_records(each);
	if (!each->pump.why[0])
		return 0;
	each->result->failed = index;
	snprintf(each->result->why, sizeof(each->result->why), "%s", each->pump.why);
	return 1;
}

static int oneshot_stage_records(struct oneshot_stage *each, const struct batch *batch,
    uint64_t first, uint64_t last, bool is_exact)
{
	struct frame_reader reader = {
	    each->output->frame, batch->data, (const char *)batch->data + batch->size};
	struct launcher_start *start = &each->pump.start;
	uint32_t index = 0;
	int r = 0;
	while (r == 0 && frame_next(&reader, &start->record, &start->record_size)) {
		start->first = is_exact ? first + index : first;
		start->last = is_exact ? start->first : last;
		r = oneshot_stage_process(each, index++);
	}
	return r;
}

int oneshot_stage_batch(struct launcher *command, const struct batch *batch, uint64_t first,
    uint64_t last, bool is_exact, const struct c_call_output *output,
    struct c_call_result *ret_result, uint64_t *ret_cpu_ns)
{
	struct oneshot_stage each = {
	    .command = command,
	    .output = output,
	    .result = ret_result,
	    .capacity = output->capacity,
	    .pump = {.command = command,
		.grow = oneshot_stage_grow,
		.most = output->most,
		.start = {.first = first, .last = last}},
	};
	each.pump.context = &each;
	*ret_result = (struct c_call_result){.kind = LEAT_RECORDS};
	int r;
	if (command->stage->kind == STAGE_EACH) {
		r = oneshot_stage_records(&each, batch, first, last, is_exact);
	} else {
		each.pump.input = batch->data;
		each.pump.input_size = batch->size;
		r = oneshot_stage_process(&each, SLOT_NO_INDEX);
	}
	*ret_cpu_ns = each.pump.cpu_ns;
	return r < 0 ? r : 0;
}
