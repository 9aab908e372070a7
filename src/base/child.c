/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Runs in the child, in the parent's memory: only system calls. Descriptors are
 * first moved above the map, so that no dup2 hits one that is still to be copied.
 */
static int child_descriptors(const struct child_setup *setup)
{
	int moved[CHILD_MAP_MAX];
	for (int i = 0; i < setup->n_map; i++) {
		moved[i] = fcntl(setup->map[i], F_DUPFD_CLOEXEC, CHILD_MAP_MAX);
		if (moved[i] < 0)
			return -errno;
	}
	for (int i = 0; i < setup->n_map; i++) {
		if (dup2(moved[i], i) < 0)
			return -errno;
	}
	return 0;
}

/*
 * What leat itself ignores or handles must not stay so in a user's program; what its
 * caller ignores, as nohup does, must.
 */
static void child_signals(void)
{
	static const int ours[] = {SIGPIPE, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		signal(ours[i], SIG_DFL);
	/*
	 * A Ctrl-Z before it was in its own group would stop it here, in the vfork that we
	 * wait for: it is let go, as who notes the child stops it.
	 */
	struct sigaction stop;
	if (sigaction(SIGTSTP, NULL, &stop) == 0 && stop.sa_handler != SIG_IGN) {
		signal(SIGTSTP, SIG_IGN);
		signal(SIGTSTP, SIG_DFL);
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * A program whose output is a pipe writes it by 4 KiB mostly. Each write wakes the reader,
 * which with the usual policy may take over the writer's core, for as little as that. A
 * batch process that is woken waits for a core that is free, or for its turn.
 */
static void child_schedule(void)
{
	const struct sched_param param = {0};
	/* What the caller has chosen, as chrt does, stays. */
	if (sched_getscheduler(0) == SCHED_OTHER)
		(void)sched_setscheduler(0, SCHED_BATCH, &param);
}

static int child_exec(const struct child_setup *setup, pid_t parent)
{
	if (!setup->stays)
		(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have died before that call. */
	if (getppid() != parent)
		return -ESRCH;
	if (setup->streams)
		child_schedule();
	int r = child_descriptors(setup);
	if (r < 0)
		return r;
	child_signals();
	execvpe(setup->argv[0], setup->argv, setup->environment ? setup->environment : environ);
	return -errno;
}

/*
 * What exec failed with, as the child wrote it before it gave up; 0 when the pipe was
 * closed by an exec that succeeded. Not by the memory that the two share: a sanitizer
 * makes the vfork a fork.
 */
static int child_exec_result(int fd)
{
	int failed = 0;
	ssize_t n;
	do
		n = read(fd, &failed, sizeof(failed));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(failed) ? failed : 0;
}

static pid_t child_vfork(const struct child_setup *setup, int report)
{
	pid_t parent = getpid();
	pid_t pid = vfork();
	if (pid == 0) {
		int failed = child_exec(setup, parent);
		ssize_t ignored = write(report, &failed, sizeof(failed));
		(void)ignored;
		_exit(127);
	}
	return pid;
}

int child_start(struct child *child, const struct child_setup *setup)
{
	int ends[2];
	memset(child, 0, sizeof(*child));
	child->pidfd = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* Out of the way of the map. */
	int report = fcntl(ends[1], F_DUPFD_CLOEXEC, CHILD_MAP_MAX);
	/* A handler of ours must not run in the child while it shares our memory. */
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	child->start_ns = clock_wall_ns();
	pid_t pid = report < 0 ? -1 : child_vfork(setup, report);
	int r = pid < 0 ? -errno : 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	fd_close(report);
	fd_close(ends[1]);
	if (pid > 0)
		r = child_exec_result(ends[0]);
	fd_close(ends[0]);
	if (pid > 0 && r < 0)
		waitpid(pid, NULL, 0);
	if (r < 0)
		return r;
	child->pid = pid;
	child->started_pid = pid;
	child->is_leader = !setup->stays;
	child->lingers = setup->lingers;
	child->counts_io = setup->counts_io;
	child->group = setup->stays ? 0 : pid;
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (child->pidfd < 0) {
		r = -errno;
		child_end(child);
		child_end_group(child);
	}
	return r;
}

/* As waitid, which does not give the usage. */
static int child_waitid(struct child *child, siginfo_t *info, int flags)
{
	int r;
	do
		r = (int)syscall(SYS_waitid, P_PID, child->pid, info, flags, &child->usage);
	while (r < 0 && errno == EINTR);
	return r;
}

/*
 * A process that has ended has its numbers until it is reaped. A kernel may not count,
 * and does not show those of a program with another's rights: then they stay unknown.
 */
static void child_read_io(struct child *child)
{
	char path[64];
	char text[512];
	snprintf(path, sizeof(path), "/proc/%d/io", (int)child->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	fd_close(fd);
	text[n > 0 ? n : 0] = '\0';
	child->io.known = sscanf(text, "rchar: %" SCNu64 " wchar: %" SCNu64, &child->io.read_bytes,
			      &child->io.written_bytes) == 2;
}

static void child_discard(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool child_wait(struct child *child, int flags)
{
	/* Looked at first: while it is not reaped, its group's number is its own. */
	siginfo_t info = {0};
	int r = child_waitid(child, &info, WEXITED | WNOWAIT | flags);
	if (r == 0 && info.si_pid == 0)
		return false;
	if (r == 0 && child->counts_io)
		child_read_io(child);
	bool clean = r == 0 && info.si_code == CLD_EXITED && info.si_status == 0;
	/* As wait() would give it; a child that cannot be waited for did not end well. */
	child->status = r < 0			     ? W_EXITCODE(255, 0)
			: info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
						     : W_EXITCODE(0, info.si_status);
	if (r == 0 && !clean)
		child_kill(child, SIGKILL);
	child->is_zombie = r == 0 && child->lingers && child->is_leader;
	if (r == 0 && !child->is_zombie)
		child_discard(child->pid);
	child->end_ns = clock_wall_ns();
	child->pid = 0;
	child->pidfd = fd_close(child->pidfd);
	return true;
}

bool child_reap(struct child *child)
{
	return child->pid == 0 || child_wait(child, WNOHANG);
}

void child_kill(struct child *child, int signal)
{
	if (child->pid > 0)
		(void)kill(child->is_leader ? -child->pid : child->pid, signal);
}

void child_end(struct child *child)
{
	if (child->pid == 0)
		return;
	child_kill(child, SIGKILL);
	/* It alone, where it could not lead a group. */
	(void)kill(child->pid, SIGKILL);
	child_wait(child, 0);
}

void child_end_group(struct child *child)
{
	if (!child->is_zombie)
		return;
	(void)kill(-child->group, SIGKILL);
	child_discard(child->group);
	child->is_zombie = false;
}

void child_describe(const struct child *child, char *text, size_t capacity)
{
	if (!WIFSIGNALED(child->status)) {
		snprintf(text, capacity, "exited with status %d", WEXITSTATUS(child->status));
		return;
	}
	int number = WTERMSIG(child->status);
	const char *name = sigabbrev_np(number);
	if (name)
		snprintf(text, capacity, "was killed by SIG%s%s", name,
		    number == SIGKILL ? " (out of memory, or kill -9)" : "");
	else
		snprintf(text, capacity, "was killed by signal %d", number);
}
