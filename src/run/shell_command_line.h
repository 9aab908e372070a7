/* SPDX-License-Identifier: Apache-2.0 */
/* Stages as programs: what runs them, and how a person would write it in a shell. */
#ifndef SHELL_COMMAND_LINE_H
#define SHELL_COMMAND_LINE_H

#include "stage_spec.h"

#include <leat/pipeline.h>

/*
 * The program that runs this stage between two pipes: the command in a shell, or
 * `leat stage` with the options. trace_stage: the stage's number in the trace.
 * is_last: of the chain, so that what it writes is the run's output.
 * Returns a NULL-ended vector whose words and itself are to free(), or NULL.
 */
char **shell_command_line_argv(const struct leat_options *options, const struct stage_spec *spec,
    uint32_t trace_stage, bool is_last);

/* The whole chain as a line for a shell; see leat_pipeline_shell_line. NULL: out of memory. */
char *shell_command_line_line(const struct leat_options *options, const struct stage_spec *specs,
    uint32_t n_specs, const char *in_path, const char *out_path);

#endif
