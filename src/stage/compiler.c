/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler.h"

#include "failure.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int compiler_add(struct compiler_words *words, const char *text, size_t size)
{
	char **at = reallocarray(words->at, words->n + 2, sizeof(*at));
	if (!at)
		return -ENOMEM;
	words->at = at;
	at[words->n] = strndup(text, size);
	if (!at[words->n])
		return -ENOMEM;
	at[++words->n] = NULL;
	return 0;
}

/* Adds what white space separates; there is no quoting, as there is none in make's CC. */
static int compiler_add_split(struct compiler_words *words, const char *text, size_t size)
{
	static const char blanks[] = " \t\r\n";
	const char *end = text + size;
	for (;;) {
		while (text < end && strchr(blanks, *text))
			text++;
		const char *word = text;
		while (text < end && !strchr(blanks, *text))
			text++;
		if (word == text)
			return 0;
		int r = compiler_add(words, word, (size_t)(text - word));
		if (r < 0)
			return r;
	}
}

static int compiler_add_all(struct compiler_words *words, const struct compiler_words *more)
{
	int r = 0;
	for (size_t i = 0; i < more->n && r == 0; i++)
		r = compiler_add(words, more->at[i], strlen(more->at[i]));
	return r;
}

static void compiler_free_words(struct compiler_words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->at[i]);
	free(words->at);
}

/* The words after "leat:" if the line is such a comment and nothing else comes before it. */
static int compiler_add_line(struct compiler_words *words, const char *line, const char *end)
{
	line += strspn(line, " \t");
	bool block = strncmp(line, "/*", 2) == 0;
	if (!block && strncmp(line, "//", 2) != 0)
		return 0;
	line += 2;
	line += strspn(line, " \t");
	const char *close = block ? memmem(line, (size_t)(end - line), "*/", 2) : end;
	if (!close || strncmp(line, "leat:", 5) != 0)
		return 0;
	line += 5;
	return compiler_add_split(words, line, (size_t)(close - line));
}

int compiler_init(
    struct compiler *compiler, const char *include_dir, const char *source, size_t size)
{
	/* Bsymbolic: a function called as one of the C library's is still the source's own. */
	static const char fixed[] = "-std=gnu17 -O2 -fPIC -shared -Wl,-Bsymbolic -I";
	struct compiler_words *command = &compiler->command;
	const char *cc = getenv("CC");
	const char *flags = getenv("CFLAGS");
	*compiler = (struct compiler){0};
	int r = cc ? compiler_add_split(command, cc, strlen(cc)) : 0;
	if (r == 0 && command->n == 0)
		r = compiler_add(command, "cc", 2);
	if (r == 0)
		r = compiler_add_split(command, fixed, strlen(fixed));
	if (r == 0)
		r = compiler_add(command, include_dir, strlen(include_dir));
	if (r == 0 && flags)
		r = compiler_add_split(command, flags, strlen(flags));
	for (const char *end = source + size; source < end && r == 0;) {
		const char *newline = memchr(source, '\n', (size_t)(end - source));
		const char *line_end = newline ? newline : end;
		r = compiler_add_line(&compiler->link, source, line_end);
		source = line_end + 1;
	}
	return r;
}

void compiler_fini(struct compiler *compiler)
{
	compiler_free_words(&compiler->command);
	compiler_free_words(&compiler->link);
}

/* The whole command. A source named like an option or a response file is kept from being one. */
static int compiler_arguments(
    const struct compiler *compiler, const struct compiler_job *job, struct compiler_words *argv)
{
	bool plain = job->source[0] != '-' && job->source[0] != '@';
	char *source;
	if (asprintf(&source, "%s%s", plain ? "" : "./", job->source) < 0)
		return -ENOMEM;
	/* The target's name is fixed, so that it needs no parsing. */
	char *own[] = {
	    "-MMD", "-MT", "leat", "-MF", (char *)job->depfile, "-o", (char *)job->object, source};
	struct compiler_words middle = {.at = own, .n = sizeof(own) / sizeof(own[0])};
	int r = compiler_add_all(argv, &compiler->command);
	if (r == 0)
		r = compiler_add_all(argv, &middle);
	if (r == 0)
		r = compiler_add_all(argv, &compiler->link);
	free(source);
	return r;
}

/*
 * Starts it with all it prints going to output_fd, nothing to read, and signals as a
 * program expects them, whatever this process has made of its own.
 */
static int compiler_spawn(char *const *argv, int output_fd, pid_t *ret_pid)
{
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	sigset_t signals;
	int r = -posix_spawnattr_init(&attributes);
	if (r < 0)
		return r;
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	r = -posix_spawn_file_actions_init(&actions);
	if (r < 0) {
		posix_spawnattr_destroy(&attributes);
		return r;
	}
	/* Descriptor 0 last: output_fd is 0 where this process was started without one. */
	r = -posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
	if (r == 0)
		r = -posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
	if (r == 0)
		r = -posix_spawn_file_actions_addopen(
		    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = -posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return r;
}

/* Finds "mul.c:3" in "mul.c:3:5: error: ..."; returns its length, 0 if there is none. */
static size_t compiler_first_error(const char *output, const char **ret_place)
{
	const char *error = strstr(output, ": error:");
	const char *fatal = strstr(output, ": fatal error:");
	if (!error || (fatal && fatal < error))
		error = fatal;
	if (!error)
		return 0;
	const char *line = error;
	while (line > output && line[-1] != '\n')
		line--;
	const char *colon = memchr(line, ':', (size_t)(error - line));
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	*ret_place = line;
	return digits > 0 ? (size_t)(colon + 1 + digits - line) : 0;
}

/* The status that a run ends with if the user stopped it meanwhile; 0 if nobody did. */
static int compiler_stopped(int wait_status)
{
	sigset_t pending;
	sigpending(&pending);
	if (sigismember(&pending, SIGINT) ||
	    (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGINT))
		return LEAT_INTERRUPTED;
	if (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP))
		return LEAT_TERMINATED;
	return 0;
}

/* Shows what the compiler said, and makes one line of how it ended. */
static int compiler_failed(const struct compiler *compiler, const struct compiler_job *job,
    int output_fd, int wait_status, struct leat_error *reterr)
{
	int stopped = compiler_stopped(wait_status);
	if (stopped)
		return failure(reterr, stopped, -EINTR,
		    "stage '%s': stopped while %s was being compiled", job->name, job->source);
	struct stat status;
	void *output = MAP_FAILED;
	size_t size = 0;
	/* A NUL behind it, to search it as text. */
	if (fstat(output_fd, &status) == 0 && pwrite(output_fd, "", 1, status.st_size) == 1) {
		size = (size_t)status.st_size;
		output = mmap(NULL, size + 1, PROT_READ, MAP_PRIVATE, output_fd, 0);
	}
	const char *place = "";
	size_t place_size = 0;
	if (output != MAP_FAILED) {
		(void)fd_write(job->stderr_fd, output, size);
		place_size = compiler_first_error(output, &place);
	}
	bool killed = WIFSIGNALED(wait_status);
	failure(reterr, LEAT_CANNOT_START, 0, "stage '%s': %s does not compile (%s %s %d)%s%.*s",
	    job->name, job->source, compiler->command.at[0],
	    killed ? "was killed by signal" : "exited with status",
	    killed ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status),
	    place_size > 0 ? "; first error: " : "", (int)place_size, place);
	if (output != MAP_FAILED)
		munmap(output, size + 1);
	return -ENOEXEC;
}

static int compiler_start(const struct compiler *compiler, const struct compiler_job *job,
    int output_fd, pid_t *ret_pid, struct leat_error *reterr)
{
	struct compiler_words argv = {0};
	int r = compiler_arguments(compiler, job, &argv);
	if (r == 0)
		r = compiler_spawn(argv.at, output_fd, ret_pid);
	const char *cc = compiler->command.at[0];
	if (r == -ENOENT)
		failure(reterr, LEAT_CANNOT_START, r,
		    "stage '%s': %s: not found; install a C compiler or set CC", job->name, cc);
	else if (r < 0)
		failure(reterr, LEAT_CANNOT_START, r, "stage '%s': %s: %s", job->name, cc,
		    strerror(-r));
	compiler_free_words(&argv);
	return r;
}

int compiler_run(
    const struct compiler *compiler, const struct compiler_job *job, struct leat_error *reterr)
{
	/* Kept, not passed on at once: it is only of interest if it fails. */
	int output_fd = fd_temporary();
	if (output_fd < 0)
		return failure(reterr, LEAT_CANNOT_START, output_fd,
		    "stage '%s': cannot make a temporary file: %s", job->name,
		    strerror(-output_fd));
	pid_t pid = 0;
	int status = 0;
	int r = compiler_start(compiler, job, output_fd, &pid, reterr);
	while (r == 0 && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			r = failure(reterr, LEAT_CANNOT_START, -errno,
			    "stage '%s': cannot wait for %s: %s", job->name,
			    compiler->command.at[0], strerror(errno));
	}
	if (r == 0 && status != 0)
		r = compiler_failed(compiler, job, output_fd, status, reterr);
	fd_close(output_fd);
	return r;
}
