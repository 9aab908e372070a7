/* SPDX-License-Identifier: Apache-2.0 */
#include "run_chain.h"

#include "fd.h"
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Whether this is the foreground job of a terminal. */
static bool run_chain_is_at_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool is = fd >= 0 && tcgetpgrp(fd) == getpgrp();
	fd_close(fd);
	return is;
}

static int run_chain_add_segment(
    struct run *run, const struct spec *specs, uint32_t n_specs, uint32_t first, uint32_t n)
{
	struct segment *segment = &run->segments[run->n_segments++];
	bool is_command = specs[first].kind == STAGE_COMMAND;
	*segment = (struct segment){
	    .options = run->options,
	    .specs = &specs[first],
	    .first = first,
	    .n_stages = n,
	    .is_ring = !is_command && run->options->mode != LEAT_SHELL,
	    .is_ours = !is_command && run->options->mode == LEAT_SHELL,
	    .in_fd = -1,
	    .out_fd = -1,
	    .guard = &run->guard,
	    .outlet = &run->outlet,
	};
	/* Of our own programs only the one that reads what is typed needs it. */
	bool types = first == 0 && isatty(run->options->in_fd);
	segment->at_terminal =
	    !segment->is_ring && (is_command || types) && run_chain_is_at_terminal();
	if (segment->is_ring)
		return 0;
	segment->argv = shell_argv(
	    run->options, &specs[first], run->options->trace_stage + first, first + n == n_specs);
	return segment->argv ? 0 : -ENOMEM;
}

/*
 * Neighbouring stages that take records share a ring. A batch: stage has one of its own: its
 * batches are cut from its own input, the same in every mode, and what it gives are bytes,
 * such as gzip's.
 */
static bool run_chain_shares_ring(const struct spec *spec)
{
	return spec->kind != STAGE_COMMAND && spec->kind != STAGE_BATCH;
}

int run_chain_split(struct run *run, const struct spec *specs, uint32_t n_specs)
{
	uint32_t first = 0;
	while (first < n_specs) {
		uint32_t n = 1;
		if (run_chain_shares_ring(&specs[first]) && run->options->mode != LEAT_SHELL) {
			while (first + n < n_specs && run_chain_shares_ring(&specs[first + n]))
				n++;
		}
		int r = run_chain_add_segment(run, specs, n_specs, first, n);
		if (r < 0)
			return r;
		first += n;
	}
	run->segments[run->n_segments - 1].is_last = true;
	return 0;
}

bool run_chain_needs_guard(const struct run *run)
{
	for (uint32_t i = 0; i < run->n_segments; i++) {
		const struct segment *segment = &run->segments[i];
		if (segment->is_ours)
			continue;
		for (uint32_t k = 0; k < segment->n_stages; k++) {
			const struct spec *spec = &segment->specs[k];
			bool command =
			    spec->kind == STAGE_COMMAND || region_kind_is_command(spec->kind);
			if (command && !shell_is_one(spec))
				return true;
		}
	}
	return false;
}
