/* SPDX-License-Identifier: Apache-2.0 */
#include "chain_split.h"

#include "fd.h"
#include "segment_process.h"
#include "segment_ring.h"
#include "shell_command_line.h"
#include "shell_syntax.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Whether this is the foreground job of a terminal. */
static bool chain_split_is_at_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool is = fd >= 0 && tcgetpgrp(fd) == getpgrp();
	fd_close(fd);
	return is;
}

static struct segment *chain_split_program(const struct segment *base)
{
	char **argv = shell_command_line_argv(
	    base->options, base->specs, base->options->trace_stage + base->first, base->is_last);
	struct segment *segment = argv ? segment_process_new(base, argv) : NULL;
	for (char **word = segment ? NULL : argv; word && *word; word++)
		free(*word);
	if (!segment)
		free(argv);
	return segment;
}

static int chain_split_add_segment(
    struct run *run, const struct stage_spec *specs, uint32_t n_specs, uint32_t first, uint32_t n)
{
	bool is_command = specs[first].kind == STAGE_COMMAND;
	bool is_program = is_command || run->options->mode == LEAT_SHELL;
	/* Of our own programs only the one that reads what is typed needs the terminal. */
	bool types = first == 0 && isatty(run->options->in_fd);
	struct segment base = {
	    .options = run->options,
	    .specs = &specs[first],
	    .first = first,
	    .n_stages = n,
	    .is_last = first + n == n_specs,
	    .is_command = is_command,
	    .at_terminal = is_program && (is_command || types) && chain_split_is_at_terminal(),
	    .in_fd = -1,
	    .out_fd = -1,
	    .guard = &run->guard,
	    .outlet = &run->outlet,
	};
	struct segment *segment = is_program ? chain_split_program(&base) : segment_ring_new(&base);
	if (!segment)
		return -ENOMEM;
	run->segments[run->n_segments++] = segment;
	return 0;
}

/*
 * Neighbouring stages that take records share a ring. A batch: stage has one of its own: its
 * batches are cut from its own input, the same in every mode, and what it gives are bytes,
 * such as gzip's.
 */
static bool chain_split_shares_ring(const struct stage_spec *spec)
{
	return spec->kind != STAGE_COMMAND && spec->kind != STAGE_BATCH;
}

int chain_split_split(struct run *run, const struct stage_spec *specs, uint32_t n_specs)
{
	uint32_t first = 0;
	while (first < n_specs) {
		uint32_t n = 1;
		if (chain_split_shares_ring(&specs[first]) && run->options->mode != LEAT_SHELL) {
			while (first + n < n_specs && chain_split_shares_ring(&specs[first + n]))
				n++;
		}
		int r = chain_split_add_segment(run, specs, n_specs, first, n);
		if (r < 0)
			return r;
		first += n;
	}
	return 0;
}

bool chain_split_needs_guard(const struct run *run)
{
	for (uint32_t i = 0; i < run->n_segments; i++) {
		const struct segment *segment = run->segments[i];
		for (uint32_t k = 0; k < segment->n_stages; k++) {
			const struct stage_spec *spec = &segment->specs[k];
			/* In shell mode a process of our own starts those that take records. */
			bool command =
			    spec->kind == STAGE_COMMAND || (region_kind_is_command(spec->kind) &&
							       run->options->mode != LEAT_SHELL);
			if (command && !shell_syntax_is_program(spec->target))
				return true;
		}
	}
	return false;
}
