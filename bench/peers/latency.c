// SPDX-License-Identifier: Apache-2.0
/*
 * How long a line takes through an idle filter and back: two programs side by side,
 * a line through the one, then the same through the other, and so on.
 *
 *	latency COUNT PAUSE_US PROGRAM [ARGUMENT...] -- PROGRAM [ARGUMENT...]
 */
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 32

/* The first round trips start what is started late, and fill the caches. */
#define WARM_UP 100

extern char **environ;

struct filter {
	pid_t pid;
	int to;
	int from;
	int64_t *times_ns;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void filter_start(struct filter *filter, char **argv, int count)
{
	int in[2];
	int out[2];
	if (pipe(in) < 0 || pipe(out) < 0)
		fail("pipe");
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	int ours[] = {in[0], in[1], out[0], out[1]};
	for (int i = 0; i < 4; i++)
		posix_spawn_file_actions_addclose(&actions, ours[i]);
	if (posix_spawnp(&filter->pid, argv[0], &actions, NULL, argv, environ) != 0)
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	filter->to = in[1];
	filter->from = out[0];
	filter->times_ns = calloc((size_t)count, sizeof(*filter->times_ns));
	if (!filter->times_ns)
		fail("calloc");
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t filter_round_trip(struct filter *filter, const char *line, size_t size)
{
	char back[LINE_MAX_SIZE];
	size_t n = 0;
	int64_t start = now_ns();
	if (write(filter->to, line, size) != (ssize_t)size)
		fail("write");
	while (n < size) {
		ssize_t r = read(filter->from, back + n, sizeof(back) - n);
		if (r <= 0)
			fail("read");
		n += (size_t)r;
	}
	int64_t end = now_ns();
	if (n != size || memcmp(back, line, size) != 0) {
		fprintf(stderr, "another line came back than went in: %s", line);
		exit(1);
	}
	return end - start;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Ends it; prints the median and two percentiles, in microseconds. */
static void filter_end(struct filter *filter, int count)
{
	int status = 0;
	close(filter->to);
	if (waitpid(filter->pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "a filter ended with status %d\n", status);
		exit(1);
	}
	/* Not before: a filter may watch for its reader's going away. */
	close(filter->from);
	qsort(filter->times_ns, (size_t)count, sizeof(*filter->times_ns), compare);
	printf("{\"median_us\": %.3f, \"p90_us\": %.3f, \"p99_us\": %.3f}\n",
	    (double)filter->times_ns[count / 2] / 1e3,
	    (double)filter->times_ns[count * 9 / 10] / 1e3,
	    (double)filter->times_ns[count * 99 / 100] / 1e3);
	free(filter->times_ns);
}

int main(int argc, char **argv)
{
	int separator = 3;
	while (separator < argc && strcmp(argv[separator], "--") != 0)
		separator++;
	int count = argc > 2 ? atoi(argv[1]) : 0;
	if (count < 1 || separator == 3 || separator + 1 >= argc) {
		fprintf(stderr, "usage: %s COUNT PAUSE_US PROGRAM... -- PROGRAM...\n", argv[0]);
		return 2;
	}
	useconds_t pause_us = (useconds_t)atoi(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	argv[separator] = NULL;
	struct filter filters[2];
	filter_start(&filters[0], argv + 3, count);
	filter_start(&filters[1], argv + separator + 1, count);
	for (int i = -WARM_UP; i < count; i++) {
		char line[LINE_MAX_SIZE];
		int size = snprintf(line, sizeof(line), "line %d\n", i);
		for (int k = 0; k < 2; k++) {
			/* Whoever spins for a while before sleeping shall have given up. */
			if (pause_us > 0)
				usleep(pause_us);
			int64_t time_ns = filter_round_trip(&filters[k], line, (size_t)size);
			if (i >= 0)
				filters[k].times_ns[i] = time_ns;
		}
	}
	/* The second one has inherited the first one's pipe: it ends first. */
	filter_end(&filters[1], count);
	filter_end(&filters[0], count);
	return 0;
}
