/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crew's hosts, one by one: started when they are wanted, and what they are called.
 *
 * Threads: the thread that runs the run.
 */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include "crew.h"

/* The only stage a host runs, or the first of several, for messages. */
const char *host_process_name(const struct crew *crew, unsigned host);

/* Starts a host's process. Returns 0 or -errno with the error written. */
int host_process_start(struct crew *crew, unsigned host, struct leat_error *reterr);

/*
 * Whether some worker of the host may work (see worker_limit.h). A process of which none may is
 * not started; host_process_defer notes that, and host_process_start_wanted starts what is wanted
 * meanwhile.
 */
bool host_process_is_wanted(const struct crew *crew, unsigned host);
void host_process_defer(struct crew *crew, unsigned host);
void host_process_start_wanted(struct crew *crew);

/* The run is over: whoever is not ready yet holds nothing, and need not become so. */
void host_process_dismiss(struct crew *crew);

#endif
