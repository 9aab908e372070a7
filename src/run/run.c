/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "chain_split.h"
#include "clock.h"
#include "failure.h"
#include "fd.h"
#include "run_outcome.h"
#include "run_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long an aborted program may take to leave before it is made to. */
#define RUN_GRACE_NS (1 * CLOCK_NS_PER_S)

int run_open(struct run *run, const struct leat_options *options, const struct stage_spec *specs,
    uint32_t n_specs, struct leat_error *reterr)
{
	run->options = options;
	run->guard.pipe = -1;
	run->bell = -1;
	run->signals = -1;
	int r = chain_split_split(run, specs, n_specs);
	if (r < 0)
		return failure(reterr, LEAT_STOPPED, r, "out of memory");
	struct stat out;
	run->watch_reader = fstat(options->out_fd, &out) == 0 && S_ISFIFO(out.st_mode);
	run->bell = fd_bell();
	r = run->bell < 0 ? run->bell : run_signals_open(run);
	if (r >= 0)
		r = stderr_relay_outlet_open(&run->outlet, STDERR_FILENO, run->signals);
	return r < 0 ? failure(reterr, LEAT_CANNOT_START, r, "cannot start: %s", strerror(-r)) : 0;
}

static bool run_borrows(const struct run *run, int fd)
{
	return fd < 0 || fd == run->options->in_fd || fd == run->options->out_fd;
}

static void run_close_pipes(struct run *run, struct segment *segment)
{
	/* Not under a thread that may still read: the number could be another's by then. */
	if (segment_leave_input(segment)) {
		if (!run_borrows(run, segment->in_fd))
			fd_close(segment->in_fd);
		segment->in_fd = -1;
	}
	if (!run_borrows(run, segment->out_fd))
		fd_close(segment->out_fd);
	segment->out_fd = -1;
}

/* What is before a segment that failed works for nobody. */
static void run_abort_before(struct run *run, const struct segment *failed)
{
	for (uint32_t i = 0; run->segments[i] != failed; i++)
		segment_abort(run->segments[i], false);
	run->kill_at_ns = clock_wall_ns() + RUN_GRACE_NS;
}

/* Watches the end of the chain: a reader that leaves an idle run should end it. */
static void run_check_reader(struct run *run, short events)
{
	struct segment *last = run->segments[run->n_segments - 1];
	if (!(events & POLLERR))
		return;
	run->watch_reader = false;
	last->type->reader_left(last);
}

static void run_kill_aborted(struct run *run, uint64_t now)
{
	if (run->kill_at_ns == 0 || now < run->kill_at_ns)
		return;
	for (uint32_t i = 0; i < run->n_segments; i++) {
		if (run->segments[i]->aborted)
			segment_abort(run->segments[i], true);
	}
	run->kill_at_ns = 0;
}

/* Until the first of the deadlines. */
static int run_timeout_ms(struct run *run)
{
	uint64_t now = clock_wall_ns();
	run_kill_aborted(run, now);
	uint64_t first = run->kill_at_ns;
	for (uint32_t i = 0; i < run_wave_size(run); i++) {
		uint64_t at = segment_deadline_ns(run_wave(run, i));
		if (at > 0 && (first == 0 || at < first))
			first = at;
	}
	if (first == 0)
		return -1;
	return first > now ? (int)((first - now) / 1000000) + 1 : 0;
}

/* Sleeps until something happens: a bell, a signal, a process's end or words. */
static void run_poll(struct run *run)
{
	struct pollfd *items = run->items;
	const struct segment *last = run->segments[run->n_segments - 1];
	int n = 0;
	items[n++] = (struct pollfd){.fd = run->bell, .events = POLLIN};
	items[n++] = (struct pollfd){.fd = run->signals, .events = POLLIN};
	bool watch = run->watch_reader && segment_needs_reader_watch(last);
	items[n++] = (struct pollfd){.fd = watch ? last->out_fd : -1};
	n += stderr_relay_outlet_poll(&run->outlet, items + n);
	for (uint32_t i = 0; i < run_wave_size(run); i++)
		n += segment_poll(run_wave(run, i), items + n);
	if (poll(items, (nfds_t)n, run_timeout_ms(run)) <= 0)
		return;
	fd_clear_bell(run->bell);
	run_signals_read(run);
	(void)stderr_relay_outlet_flush(&run->outlet);
	run_check_reader(run, items[2].revents);
}

/* Returns 0 when all can be let go, or -errno with the run's error written. */
static int run_await_ready(struct run *run)
{
	int before = run->interrupts;
	for (;;) {
		bool all = true;
		struct leat_error error = {0};
		for (uint32_t i = 0; i < run_wave_size(run); i++) {
			int r = segment_ready(run_wave(run, i), &error);
			if (r < 0) {
				run_fail(run, &error);
				return r;
			}
			all &= r == 1;
		}
		if (all)
			return 0;
		run_poll(run);
		if (run->interrupts > before)
			return -EINTR;
	}
}

/* What the file held before is of use to whoever has mistyped a stage. */
static int run_empty_output(struct run *run)
{
	struct stat info;
	int fd = run->options->out_fd;
	if (!run->options->empty_out || run->emptied)
		return 0;
	run->emptied = true;
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || ftruncate(fd, 0) == 0)
		return 0;
	int r = -errno;
	failure(&run->error, LEAT_STOPPED, r, "%s: %s", run->options->out_name, strerror(-r));
	return r;
}

/* The last segment first: a reader is there before its writer. */
static int run_start(struct run *run)
{
	for (uint32_t i = run_wave_size(run); i-- > 0;) {
		struct segment *segment = run_wave(run, i);
		struct leat_error error = {0};
		int r = segment->type->start(segment, run->bell, &error);
		if (r < 0) {
			run_fail(run, &error);
			return r;
		}
		/* The child has its own copies; with ours open, nobody would see an end. */
		if (segment->type->copies_descriptors)
			run_close_pipes(run, segment);
	}
	return 0;
}

static bool run_step(struct run *run)
{
	bool all_done = true;
	for (uint32_t i = 0; i < run_wave_size(run); i++) {
		struct segment *segment = run_wave(run, i);
		bool was_done = segment->done;
		segment_step(segment);
		if (segment->done && !was_done) {
			run_close_pipes(run, segment);
			if (segment->error.status != LEAT_OK) {
				run_fail(run, &segment->error);
				run_abort_before(run, segment);
			}
		}
		all_done &= segment->done;
	}
	return !all_done;
}

static int run_join(struct segment *from, struct segment *to)
{
	int ends[2];
	int r = fd_wide_pipe(ends);
	if (r < 0)
		return r;
	from->out_fd = ends[1];
	to->in_fd = ends[0];
	return 0;
}

static int run_connect(struct run *run)
{
	for (uint32_t i = 0; i + 1 < run_wave_size(run); i++) {
		int r = run_join(run_wave(run, i), run_wave(run, i + 1));
		if (r < 0)
			return r;
	}
	return 0;
}

/* Runs the segments of this wave, whose outer descriptors are set, to their end. */
static int run_one_wave(struct run *run)
{
	struct leat_error error = {0};
	int r = run_connect(run);
	if (r < 0) {
		failure(&run->error, LEAT_CANNOT_START, r, "cannot make a pipe: %s", strerror(-r));
		return r;
	}
	for (uint32_t i = 0; r == 0 && i < run_wave_size(run); i++)
		r = segment_prepare(run_wave(run, i), run->bell, &error);
	if (r < 0)
		run_fail(run, &error);
	if (r == 0)
		r = run_await_ready(run);
	if (r == 0)
		r = run_empty_output(run);
	if (r == 0)
		r = run_start(run);
	while (r == 0 && run_step(run) && run->interrupts < 2)
		run_poll(run);
	return run->interrupts > 1 ? -ECANCELED : r;
}

/*
 * In single mode one segment runs at a time, and what it writes is kept in a
 * temporary file for the next.
 */
static int run_one_turn(struct run *run, struct segment *segment, int in_fd, int *ret_between)
{
	int between = -1;
	segment->in_fd = in_fd;
	segment->out_fd = run->options->out_fd;
	if (!segment->is_last) {
		between = fd_temporary();
		segment->out_fd = between < 0 ? -1 : fcntl(between, F_DUPFD_CLOEXEC, 0);
		if (segment->out_fd < 0) {
			failure(&run->error, LEAT_STOPPED, between, "temporary file: %s",
			    strerror(between < 0 ? -between : errno));
			return -EIO;
		}
	}
	int r = run_one_wave(run);
	run_close_pipes(run, segment);
	if (between >= 0)
		(void)lseek(between, 0, SEEK_SET);
	*ret_between = between;
	return r;
}

static void run_in_turns(struct run *run)
{
	int in_fd = run->options->in_fd;
	int r = 0;
	for (uint32_t i = 0; i < run->n_segments && r == 0; i++) {
		run->wave_first = i;
		run->wave_end = i + 1;
		r = run_one_turn(run, run->segments[i], in_fd, &in_fd);
	}
	if (!run_borrows(run, in_fd) && r != 0 && run->segments[run->wave_first]->in_fd != in_fd)
		fd_close(in_fd);
}

/* By now a Ctrl-C that has ended a command has reached us too, if it was one. */
static void run_judge_sigint(struct run *run)
{
	for (uint32_t i = 0; run->interrupts == 0 && i < run->n_segments; i++) {
		struct segment *segment = run->segments[i];
		if (segment->type->judge_sigint)
			segment->type->judge_sigint(segment);
		if (segment->error.status != LEAT_OK)
			run_fail(run, &segment->error);
	}
}

void run_go(struct run *run)
{
	if (chain_split_needs_guard(run))
		orphan_guard_start(&run->guard);
	if (run->options->mode == LEAT_SINGLE) {
		run_in_turns(run);
	} else {
		run->wave_end = run->n_segments;
		run->segments[0]->in_fd = run->options->in_fd;
		run->segments[run->n_segments - 1]->out_fd = run->options->out_fd;
		(void)run_one_wave(run);
	}
	if (run->interrupts > 1)
		run_abort_all(run, true);
	run_judge_sigint(run);
}

void run_close(struct run *run)
{
	for (uint32_t i = 0; i < run->n_segments; i++) {
		struct segment *segment = run->segments[i];
		if (segment_end(segment) < 0)
			run->abandoned = true;
		else
			run_close_pipes(run, segment);
	}
	orphan_guard_end(&run->guard);
	stderr_relay_outlet_close(&run->outlet);
	if (run->interrupts > 0)
		run_signals_describe(run);
	run->bell = run->abandoned ? run->bell : fd_close(run->bell);
	run_signals_close(run);
	for (uint32_t i = 0; !run->abandoned && i < run->n_segments; i++)
		free(run->segments[i]);
}
