/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_run.h"

#include "interrupt.h"
#include "tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_PATH_MAX 32

/* Words of `leat run` before the stages, and the NULL after them. */
#define RUN_WORDS_MAX 18

static uint64_t run_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t run_timeval_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

/* The words of `leat run`, to free(). They are borrowed, `trace` included. */
static const char **run_words(const struct compare_job *job, const char *mode, const char *trace)
{
	const char **words = calloc(RUN_WORDS_MAX + job->n_stages, sizeof(*words));
	if (!words)
		return NULL;
	const char *options[][2] = {{"-m", mode}, {"--trace", trace}, {"--frame", job->frame},
	    {"--max-record", job->max_record}, {"--memory", job->memory},
	    {"--python", job->python}};
	size_t n = 0;
	words[n++] = "leat";
	words[n++] = "run";
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!options[i][1])
			continue;
		words[n++] = options[i][0];
		words[n++] = options[i][1];
	}
	words[n++] = "--";
	for (size_t i = 0; i < job->n_stages; i++)
		words[n++] = job->stages[i];
	return words;
}

/* In the child: never returns. */
static void run_exec(const char **words, int in_fd, int out_fd, int trace_fd, pid_t parent)
{
	/* Nothing may outlive compare, also not when compare is killed. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	interrupt_release();
	if (getppid() == parent && dup2(in_fd, STDIN_FILENO) >= 0 &&
	    dup2(out_fd, STDOUT_FILENO) >= 0 && fcntl(trace_fd, F_SETFD, 0) >= 0)
		execv("/proc/self/exe", (char *const *)(void *)words);
	dprintf(STDERR_FILENO, "leat compare: cannot run leat: %s\n", strerror(errno));
	_exit(LEAT_CANNOT_START);
}

/* Waits for the end of the child, however often signals arrive. */
static int run_wait(pid_t pid, struct compare_run *run)
{
	siginfo_t info;
	/* Its number stays its own until it is reaped, when no signal goes to it any more. */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	run->wall_ns = run_now_ns() - run->spawn_ns;
	interrupt_pass_to(0);
	int status = 0;
	struct rusage usage = {0};
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	run->user_ns = run_timeval_ns(usage.ru_utime);
	run->sys_ns = run_timeval_ns(usage.ru_stime);
	run->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	run->preemptions = (uint64_t)usage.ru_nivcsw;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_spawn(const struct compare_job *job, const char *mode, struct compare_run *run,
    int in_fd, int out_fd, int *ret_status)
{
	char trace[RUN_PATH_MAX];
	snprintf(trace, sizeof(trace), "/proc/self/fd/%d", run->trace_fd);
	const char **words = run_words(job, mode, trace);
	if (!words)
		return -ENOMEM;
	pid_t parent = getpid();
	run->spawn_ns = run_now_ns();
	interrupt_hold();
	pid_t pid = interrupt_caught() ? -1 : fork();
	int r = pid >= 0 ? 0 : interrupt_caught() ? -EINTR : -errno;
	if (pid == 0)
		run_exec(words, in_fd, out_fd, run->trace_fd, parent);
	if (pid > 0)
		interrupt_pass_to(pid);
	interrupt_release();
	free(words);
	if (pid > 0)
		*ret_status = run_wait(pid, run);
	return r;
}

static int run_reopen(int fd, uint64_t offset)
{
	char path[RUN_PATH_MAX];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, O_RDONLY | O_CLOEXEC);
	if (again < 0)
		return -errno;
	if (lseek(again, (off_t)offset, SEEK_SET) < 0) {
		int r = -errno;
		close(again);
		return r;
	}
	return again;
}

int compare_run(const struct compare_job *job, const char *mode, struct compare_run *run,
    int *ret_status, int *ret_output_fd)
{
	int in_fd = run_reopen(job->input_fd, job->input_offset);
	if (in_fd < 0)
		return in_fd;
	int out_fd = -1;
	int r = run->trace_fd = tempfile_open();
	if (r >= 0)
		r = out_fd = tempfile_open();
	if (r >= 0)
		r = run_spawn(job, mode, run, in_fd, out_fd, ret_status);
	close(in_fd);
	if (r >= 0)
		*ret_output_fd = out_fd;
	else if (out_fd >= 0)
		close(out_fd);
	return r < 0 ? r : 0;
}
