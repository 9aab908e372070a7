/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leat host: not for people. A run executes it for each C stage in processes mode,
 * with the run's region and bell as inherited descriptors.
 */
#include "command.h"

#include <leat/worker.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One worker a process: the function crashes alone. */
static int host_work(struct leat_host *host)
{
	struct leat_worker *worker = NULL;
	struct leat_batch batch;
	if (leat_worker_open(host, 0, &worker) < 0)
		return LEAT_CANNOT_START;
	leat_worker_ready(worker);
	int r = leat_worker_next(worker, &batch);
	leat_worker_close(worker);
	return r == 0 ? LEAT_OK : LEAT_STOPPED;
}

static int host_main(int argc, char **argv)
{
	struct leat_host *host = NULL;
	if (argc != 4) {
		fputs("leat host: is started by a run\n", stderr);
		return LEAT_CANNOT_START;
	}
	/* What a stage prints shall appear at once, and in order with what it writes to stderr. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* How an interrupt ends the run is for the run to say. */
	signal(SIGINT, SIG_IGN);
	int r = leat_host_open(
	    atoi(argv[1]), atoi(argv[2]), (unsigned)strtoul(argv[3], NULL, 10), &host);
	if (r < 0) {
		fprintf(stderr, "leat host: cannot join a run: %s\n", strerror(-r));
		return LEAT_CANNOT_START;
	}
	int status = host_work(host);
	leat_host_close(host);
	return status;
}

const struct command host_command = {"host", NULL, host_main};
