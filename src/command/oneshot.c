/* SPDX-License-Identifier: Apache-2.0 */
#include "oneshot.h"

#include "clock.h"
#include "fd.h"
#include "stderr_prefix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a pipe holds anyway. */
#define ONESHOT_PIPE_USUAL (64u << 10)

/* A process that is being pumped. */
struct oneshot_process {
	struct oneshot *pump;
	struct child child;
	int to;	  /* its stdin; -1: closed */
	int from; /* its stdout; -1: at its end */
	size_t fed;
	struct stderr_prefix tagger; /* open where lines on stderr are tagged */
	uint64_t started_ns;	     /* this and the next by job_control_clock_ns */
	uint64_t quiet_since_ns;
	uint64_t waited_ns; /* for memory, which is no fault of the process */
	bool stall_reported;
	bool over; /* the run is */
};

__attribute__((format(printf, 2, 3))) static void oneshot_fail(
    struct oneshot *pump, const char *format, ...)
{
	if (pump->why[0])
		return;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(pump->why, sizeof(pump->why), format, args);
	va_end(args);
}

static uint64_t oneshot_clock_ns(const struct oneshot_process *process)
{
	return job_control_clock_ns(&process->pump->command->context->suspend);
}

/* An input that fits the pipe is given at once, and the process goes on by itself. */
static int oneshot_pipe(int ends[2], size_t size)
{
	if (size > ONESHOT_PIPE_USUAL)
		return fd_wide_pipe(ends);
	return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

/* Pipes to and from it; the parent's ends never block. */
static int oneshot_pipes(struct oneshot *pump, int in[2], int out[2])
{
	in[0] = in[1] = out[0] = out[1] = -1;
	int r = 0;
	if (pump->input)
		r = oneshot_pipe(in, pump->input_size);
	else if ((in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	/* It may give as much as it gets. */
	if (r == 0)
		r = oneshot_pipe(out, pump->input_size);
	if (r < 0)
		return r;
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* "record 5", or "records 5 to 9". */
static void oneshot_records(const struct oneshot *pump, char *text, size_t capacity)
{
	if (pump->start.first == pump->start.last)
		snprintf(text, capacity, "record %" PRIu64, pump->start.first);
	else
		snprintf(text, capacity, "records %" PRIu64 " to %" PRIu64, pump->start.first,
		    pump->start.last);
}

static int oneshot_tag(struct oneshot_process *process)
{
	struct oneshot *pump = process->pump;
	const struct launcher *command = pump->command;
	char records[64];
	char tag[STDERR_PREFIX_TAG_MAX];
	oneshot_records(pump, records, sizeof(records));
	snprintf(tag, sizeof(tag), "[%s %s] ", command->stage->name, records);
	return stderr_prefix_open(
	    &process->tagger, tag, command->err, command->context->stop, &pump->start.err);
}

static int oneshot_start(struct oneshot_process *process)
{
	struct oneshot *pump = process->pump;
	int in[2];
	int out[2];
	int r = oneshot_pipes(pump, in, out);
	pump->start.in = in[0];
	pump->start.out = out[1];
	pump->start.err = -1;
	if (r == 0 && pump->command->context->tag)
		r = oneshot_tag(process);
	if (r == 0)
		r = launcher_start(pump->command, &pump->start, &process->child);
	fd_close(in[0]);
	fd_close(out[1]);
	fd_close(pump->start.err);
	if (r < 0) {
		fd_close(in[1]);
		fd_close(out[0]);
		return r;
	}
	process->to = in[1];
	process->from = out[0];
	return 0;
}

static void oneshot_say_start(struct oneshot *pump, int code)
{
	if (code == -E2BIG && pump->start.record_size > launcher_record_max())
		oneshot_fail(pump,
		    "cannot take a record longer than an argument can be, %zu bytes; batch: and "
		    "line: take records on stdin",
		    launcher_record_max());
	else if (code == -E2BIG && pump->start.record)
		oneshot_fail(pump,
		    "its arguments with the record are longer than they can be; batch: and line: "
		    "take records on stdin");
	else if (code == -EILSEQ)
		oneshot_fail(pump,
		    "cannot take a record with a NUL byte, which no argument can hold; batch: and "
		    "line: take records on stdin");
	else
		oneshot_fail(pump, "cannot be started: %s", strerror(-code));
}

/* A process that wants no more of its input, as head does, is no failure. */
static void oneshot_feed(struct oneshot_process *process)
{
	const struct oneshot *pump = process->pump;
	ssize_t n = write(process->to, pump->input + process->fed, pump->input_size - process->fed);
	if (n > 0)
		process->fed += (size_t)n;
	bool refused = n < 0 && errno != EAGAIN && errno != EINTR;
	if (refused || process->fed == pump->input_size)
		process->to = fd_close(process->to);
}

/* Nothing of it is wanted any more. */
static void oneshot_kill(struct oneshot_process *process)
{
	child_kill(&process->child, SIGKILL);
	process->from = fd_close(process->from);
}

/* Makes room for more of what it gives. Returns false when there is none. */
static bool oneshot_make_room(struct oneshot_process *process)
{
	struct oneshot *pump = process->pump;
	if (pump->output_size < pump->capacity)
		return true;
	uint64_t asked_ns = oneshot_clock_ns(process);
	int r = pump->grow(pump);
	process->waited_ns += oneshot_clock_ns(process) - asked_ns;
	if (r == 0)
		return true;
	/* What is full may have been the last of it. */
	int more = 0;
	if (ioctl(process->from, FIONREAD, &more) == 0 && more == 0) {
		char byte;
		ssize_t n = read(process->from, &byte, 1);
		if (n <= 0) {
			process->from = n == 0 ? fd_close(process->from) : process->from;
			return false;
		}
	}
	pump->later = r == -EAGAIN;
	if (!pump->later)
		oneshot_fail(pump,
		    "gives more than a batch can hold, which is %zu bytes; raise --memory",
		    pump->most);
	oneshot_kill(process);
	return false;
}

static void oneshot_collect(struct oneshot_process *process)
{
	struct oneshot *pump = process->pump;
	if (!oneshot_make_room(process))
		return;
	ssize_t n = read(
	    process->from, pump->output + pump->output_size, pump->capacity - pump->output_size);
	if (n > 0)
		pump->output_size += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		process->from = fd_close(process->from);
}

/* How long until this moment, for poll(); 0 if it has come. */
static int oneshot_ms_until(const struct oneshot_process *process, uint64_t moment_ns)
{
	uint64_t now = oneshot_clock_ns(process);
	return moment_ns > now ? (int)((moment_ns - now) / 1000000) + 1 : 0;
}

static uint64_t oneshot_stall_ns(const struct oneshot_process *process)
{
	const struct launcher_context *context = process->pump->command->context;
	return context->stall_s == 0 || process->stall_reported
		   ? UINT64_MAX
		   : process->quiet_since_ns + context->stall_s * CLOCK_NS_PER_S;
}

static uint64_t oneshot_deadline_ns(const struct oneshot_process *process)
{
	const struct launcher_context *context = process->pump->command->context;
	return context->timeout_s == 0 || process->pump->why[0]
		   ? UINT64_MAX
		   : process->started_ns + process->waited_ns + context->timeout_s * CLOCK_NS_PER_S;
}

/* The time until something has to be said or done about the process; -1: none. */
static int oneshot_timeout_ms(const struct oneshot_process *process)
{
	uint64_t stall_ns = oneshot_stall_ns(process);
	uint64_t deadline_ns = oneshot_deadline_ns(process);
	uint64_t next_ns = stall_ns < deadline_ns ? stall_ns : deadline_ns;
	return next_ns == UINT64_MAX ? -1 : oneshot_ms_until(process, next_ns);
}

static void oneshot_say_stall(struct oneshot_process *process)
{
	const struct oneshot *pump = process->pump;
	const struct launcher *command = pump->command;
	struct launcher_context *context = command->context;
	char records[64];
	oneshot_records(pump, records, sizeof(records));
	worker_messages_post(&context->notices,
	    "stage '%s': process %d has given nothing for %u s, %s; %s", command->stage->name,
	    process->child.started_pid, context->stall_s, records,
	    launcher_why_stalled(&process->child, "--timeout would end it"));
	process->stall_reported = true;
}

static void oneshot_check_time(struct oneshot_process *process)
{
	struct oneshot *pump = process->pump;
	uint64_t now = oneshot_clock_ns(process);
	if (now >= oneshot_deadline_ns(process)) {
		oneshot_fail(pump, "took longer than the --timeout of %u s and was ended",
		    pump->command->context->timeout_s);
		oneshot_kill(process);
	} else if (now >= oneshot_stall_ns(process)) {
		oneshot_say_stall(process);
	}
}

/* Waits for the process to want, give or end something, and does it. */
static void oneshot_step(struct oneshot_process *process)
{
	const struct launcher *command = process->pump->command;
	/* Its end matters when it can say no more: what it started may speak for it. */
	bool silent = process->from < 0;
	struct pollfd items[] = {
	    {.fd = command->context->stop, .events = POLLIN},
	    {.fd = process->to, .events = POLLOUT},
	    {.fd = process->from, .events = POLLIN},
	    {.fd = silent ? process->child.pidfd : -1, .events = POLLIN},
	    {.fd = process->tagger.from, .events = POLLIN},
	};
	int n = poll(items, sizeof(items) / sizeof(items[0]), oneshot_timeout_ms(process));
	if (n < 0)
		return;
	process->over = items[0].revents != 0;
	if (items[1].revents)
		oneshot_feed(process);
	if (items[2].revents)
		oneshot_collect(process);
	if (items[4].revents)
		stderr_prefix_pump(&process->tagger);
	if (items[3].revents)
		(void)child_reap(&process->child);
	if (n > 0)
		process->quiet_since_ns = oneshot_clock_ns(process);
	/* One that has ended meanwhile did so in time, whenever we come to see it. */
	if (!(items[2].revents & POLLHUP) && !items[3].revents)
		oneshot_check_time(process);
}

static uint64_t oneshot_usage_ns(const struct rusage *usage)
{
	return ((uint64_t)usage->ru_utime.tv_sec + (uint64_t)usage->ru_stime.tv_sec) *
		   CLOCK_NS_PER_S +
	       ((uint64_t)usage->ru_utime.tv_usec + (uint64_t)usage->ru_stime.tv_usec) * 1000;
}

static void oneshot_judge(struct oneshot_process *process)
{
	struct oneshot *pump = process->pump;
	const struct child *child = &process->child;
	pump->cpu_ns += oneshot_usage_ns(&child->usage);
	if (pump->why[0] || pump->later ||
	    (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0))
		return;
	pump->signal = WIFSIGNALED(child->status) ? WTERMSIG(child->status) : 0;
	char how[128];
	launcher_describe(pump->command, child, how, sizeof(how));
	oneshot_fail(pump, "%s", how);
}

int oneshot_run(struct oneshot *pump)
{
	struct oneshot_process process = {.pump = pump, .to = -1, .from = -1, .tagger.from = -1};
	pump->why[0] = '\0';
	pump->signal = 0;
	pump->later = false;
	pump->output_size = 0;
	int r = oneshot_start(&process);
	if (r < 0) {
		stderr_prefix_close(&process.tagger);
		oneshot_say_start(pump, r);
		return 0;
	}
	process.started_ns = process.quiet_since_ns = oneshot_clock_ns(&process);
	while (process.child.pid != 0 && !process.over)
		oneshot_step(&process);
	fd_close(process.to);
	fd_close(process.from);
	launcher_end(pump->command, &process.child);
	stderr_prefix_close(&process.tagger);
	if (process.over)
		return -ECANCELED;
	oneshot_judge(&process);
	return 0;
}
