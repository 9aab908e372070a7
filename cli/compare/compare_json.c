/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_print.h"

#include <math.h>
#include <stdlib.h>

/* A page that draws more than this shows less. */
#define REPORT_SPANS_MAX 20000

static json_t *report_number(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

static json_t *report_seconds(uint64_t ns)
{
	return json_real((double)ns / 1e9);
}

/* Of a command; those of a function are not asked for, and those of another user's not shown. */
static json_t *report_bytes(const struct compare_stage *stage, uint64_t bytes)
{
	return stage->has_io ? json_integer((json_int_t)bytes) : json_null();
}

static json_t *report_name(const char *name)
{
	/* Names come from files and need not be UTF-8. */
	json_t *string = json_string(name);
	return string ? string : json_string("?");
}

static const char *report_frame(enum leat_frame frame)
{
	switch (frame) {
	case LEAT_NUL:
		return "nul";
	case LEAT_U32:
		return "u32";
	case LEAT_NEWLINE:
		break;
	}
	return "newline";
}

static json_t *report_stages(const struct comparison *comparison)
{
	json_t *array = json_array();
	for (size_t i = 0; i < comparison->n_stages; i++)
		json_array_append_new(array,
		    json_pack("{s:o, s:o, s:b}", "name", report_name(comparison->names[i]), "spec",
			report_name(comparison->specs[i]), "python", comparison->is_python[i]));
	return array;
}

static json_t *report_run(const struct comparison *comparison, const struct compare_run *run)
{
	json_t *stages = json_array();
	for (size_t i = 0; i < comparison->n_stages; i++) {
		const struct compare_stage *stage = &run->stages[i];
		json_array_append_new(stages,
		    json_pack("{s:I, s:o, s:o, s:b, s:o, s:o}", "calls", (json_int_t)stage->calls,
			"wall_s", report_seconds(stage->wall_ns), "cpu_s",
			report_seconds(stage->cpu_ns), "command", stage->is_command, "read_bytes",
			report_bytes(stage, stage->read_bytes), "written_bytes",
			report_bytes(stage, stage->written_bytes)));
	}
	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "wall_s",
	    report_seconds(run->wall_ns), "user_s", report_seconds(run->user_ns), "sys_s",
	    report_seconds(run->sys_ns), "peak_bytes", (json_int_t)run->peak_bytes, "preemptions",
	    (json_int_t)run->preemptions, "startup_s",
	    report_number(compare_startup(comparison, run)), "bound_s",
	    report_number(compare_bound(comparison, run)), "ratio",
	    report_number(compare_ratio(comparison, run)), "busy_s", report_seconds(run->busy_ns),
	    "overlap_s", report_seconds(run->overlap_ns), "stages", stages);
}

static json_t *report_median(const struct comparison *comparison, const struct compare_mode *mode)
{
	static const struct {
		const char *key;
		compare_measure *measure;
	} measures[] = {
	    {"wall_s", compare_wall},
	    {"user_s", compare_user},
	    {"sys_s", compare_sys},
	    {"load", compare_load},
	    {"peak_bytes", compare_peak},
	    {"startup_s", compare_startup},
	    {"bound_s", compare_bound},
	    {"ratio", compare_ratio},
	};
	json_t *object = json_object();
	for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
		json_object_set_new(object, measures[i].key,
		    report_number(comparison_median(comparison, mode, measures[i].measure)));
	json_object_set_new(object, "spread_s", json_real(comparison_spread(mode)));
	json_object_set_new(object, "speedup", report_number(comparison_speedup(comparison, mode)));
	json_object_set_new(object, "bound_estimated",
	    json_boolean(comparison_has_command(comparison, &mode->runs[0])));
	return object;
}

static json_t *report_timeline(const struct compare_run *run)
{
	json_t *array = json_array();
	for (size_t i = 0; i < run->n_spans && i < REPORT_SPANS_MAX; i++) {
		const struct compare_span *span = &run->spans[i];
		json_array_append_new(
		    array, json_pack("[I, o, o, I, I]", (json_int_t)span->stage,
			       report_seconds(span->start_ns), report_seconds(span->end_ns),
			       (json_int_t)span->first_record, (json_int_t)span->records));
	}
	return array;
}

static json_t *report_reason(const struct comparison *comparison, const struct compare_mode *mode)
{
	const struct terminal terminal = {.utf8 = true};
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	compare_print_reason(to, &terminal, comparison, mode);
	json_t *string = fclose(to) == 0 ? report_name(text) : NULL;
	free(text);
	return string;
}

/* What is known of a mode that went well only. */
static void report_add_good(
    json_t *object, const struct comparison *comparison, const struct compare_mode *mode)
{
	const struct compare_run *median = comparison_median_run(mode);
	size_t left_out =
	    median->n_spans > REPORT_SPANS_MAX ? median->n_spans - REPORT_SPANS_MAX : 0;
	json_object_set_new(object, "median", report_median(comparison, mode));
	json_object_set_new(object, "why", report_reason(comparison, mode));
	json_object_set_new(object, "median_run", json_integer(median - mode->runs));
	json_object_set_new(object, "timeline", report_timeline(median));
	json_object_set_new(object, "timeline_left_out", json_integer((json_int_t)left_out));
}

static json_t *report_mode(const struct comparison *comparison, const struct compare_mode *mode)
{
	json_t *runs = json_array();
	for (size_t i = 0; i < mode->n_runs; i++)
		json_array_append_new(runs, report_run(comparison, &mode->runs[i]));
	json_t *difference = json_null();
	if (mode->differs)
		difference = json_pack("{s:I, s:I}", "record", (json_int_t)mode->difference.record,
		    "byte", (json_int_t)mode->difference.byte);
	json_t *object = json_pack("{s:s, s:i, s:o, s:o}", "mode", mode->name, "status",
	    mode->status, "difference", difference, "runs", runs);
	if (object && comparison_is_good(mode))
		report_add_good(object, comparison, mode);
	return object;
}

static json_t *report_outputs(const struct comparison *comparison)
{
	bool identical = true;
	for (size_t i = 0; i < comparison->n_modes; i++)
		identical = identical && !comparison->modes[i].differs;
	if (comparison->reference < 0)
		return json_null();
	return json_pack("{s:b, s:s, s:I, s:I}", "identical", identical, "reference",
	    comparison->modes[comparison->reference].name, "bytes",
	    (json_int_t)comparison->output.bytes, "records",
	    (json_int_t)comparison->output.records);
}

json_t *compare_json(const struct comparison *comparison)
{
	json_t *modes = json_array();
	for (size_t i = 0; i < comparison->n_modes; i++)
		json_array_append_new(modes, report_mode(comparison, &comparison->modes[i]));
	const struct compare_mode *best = comparison_best(comparison);
	int bottleneck = compare_bottleneck(comparison);
	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "leat",
	    leat_version(), "records", (json_int_t)comparison->records, "rounds",
	    (json_int_t)comparison->rounds, "cores", (json_int_t)comparison->cores, "frame",
	    report_frame(comparison->frame), "stages", report_stages(comparison), "outputs",
	    report_outputs(comparison), "best", best ? report_name(best->name) : json_null(),
	    "bottleneck", bottleneck < 0 ? json_null() : report_name(comparison->names[bottleneck]),
	    "modes", modes);
}
