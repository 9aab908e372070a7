/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE_MS    UINT64_C(1000000)
#define SAMPLE_SPAWN UINT64_C(5000000000)

const struct terminal sample_ascii = {.columns = 40};
const struct terminal sample_utf8 = {.columns = 40, .utf8 = true};

void sample_init(
    struct comparison *comparison, const char *const *specs, size_t n, uint64_t records)
{
	assert_int_equal(comparison_init(comparison, specs, n), 0);
	comparison->cores = 2;
	comparison->records = records;
	comparison->reference = 0;
}

struct compare_mode *sample_mode(struct comparison *comparison, const char *name)
{
	for (size_t i = 0; i < comparison->n_modes; i++) {
		if (strcmp(comparison->modes[i].name, name) == 0)
			return &comparison->modes[i];
	}
	struct compare_mode *mode = &comparison->modes[comparison->n_modes++];
	mode->name = name;
	return mode;
}

static struct trace_event sample_event(const struct sample_call *call)
{
	uint64_t start_ns = SAMPLE_SPAWN + call->start_ms * SAMPLE_MS;
	uint64_t end_ns = SAMPLE_SPAWN + call->end_ms * SAMPLE_MS;
	if (call->records == 0)
		return (struct trace_event){
		    .type = TRACE_PROCESS,
		    .stage = call->stage,
		    .process = {.start_ns = start_ns,
			.end_ns = end_ns,
			.user_ns = call->cpu_ms * SAMPLE_MS,
			.is_command = 1},
		};
	return (struct trace_event){
	    .type = TRACE_CALL,
	    .stage = call->stage,
	    .call = {.first_record = call->record,
		.start_ns = start_ns,
		.end_ns = end_ns,
		.cpu_ns = call->cpu_ms * SAMPLE_MS,
		.records_in = call->records,
		.records_out = call->records},
	};
}

void sample_run(struct comparison *comparison, const char *mode, unsigned wall_ms,
    const struct sample_call *calls, size_t n)
{
	struct compare_run *run = comparison_add(comparison, sample_mode(comparison, mode));
	assert_non_null(run);
	run->spawn_ns = SAMPLE_SPAWN;
	run->wall_ns = wall_ms * SAMPLE_MS;
	run->peak_bytes = 1 << 20;
	struct trace_event *events = calloc(n + 1, sizeof(*events));
	assert_non_null(events);
	for (size_t i = 0; i < n; i++) {
		events[i] = sample_event(&calls[i]);
		run->user_ns += calls[i].cpu_ms * SAMPLE_MS;
	}
	assert_int_equal(compare_digest(comparison, run, events, n), 0);
	free(events);
}

char *sample_why(const struct comparison *comparison)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	compare_print_why(to, &sample_ascii, comparison);
	fclose(to);
	return text;
}
