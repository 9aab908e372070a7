/* SPDX-License-Identifier: Apache-2.0 */
#include "crew_commands.h"

#include "fd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

/* "[sed] ", or "[sed.2] ": of batch: and each: commands the record is told, by tagger.c. */
static void crew_commands_tag(
    const struct crew *crew, const struct region_stage *stage, unsigned worker, char *tag)
{
	if (!crew->tag || stage->kind != STAGE_LINE)
		return;
	if (worker_plan_group_size(&crew->plan, stage->group) > 1)
		snprintf(tag, STDERR_RELAY_PREFIX_MAX, "[%s.%u] ", stage->name,
		    region_rank(&crew->region, worker) + 1);
	else
		snprintf(tag, STDERR_RELAY_PREFIX_MAX, "[%s] ", stage->name);
}

static int crew_commands_open(struct crew *crew, const struct region_stage *stage, unsigned worker)
{
	char tag[STDERR_RELAY_PREFIX_MAX] = "";
	int *err = &crew->command_errs[worker];
	crew_commands_tag(crew, stage, worker, tag);
	int r = stderr_relay_open(&crew->command_relays[worker], crew->outlet, tag, err);
	if (r == 0 && crew->tag && stage->kind != STAGE_LINE)
		(void)fcntl(*err, F_SETFL, O_NONBLOCK);
	return r;
}

int crew_commands_open_all(struct crew *crew)
{
	worker_messages_init(&crew->commands.notices, crew->bell);
	crew->commands.tag = crew->tag;
	crew->commands.errs = crew->command_errs;
	crew->commands.stop = fd_bell();
	int r = crew->commands.stop < 0 ? crew->commands.stop : 0;
	if (r == 0)
		r = job_control_init(&crew->commands.suspend, crew->plan.n_workers);
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		for (uint32_t k = 0; r == 0 && k < crew->plan.n_stages; k++) {
			const struct region_stage *stage = &crew->plan.stages[k];
			if (stage->group == crew->plan.workers[i].group &&
			    region_kind_is_command(stage->kind))
				r = crew_commands_open(crew, stage, i);
		}
	}
	return r;
}

void crew_commands_close_all(struct crew *crew)
{
	for (unsigned i = 0; i < crew->plan.n_workers; i++) {
		crew->command_errs[i] = fd_close(crew->command_errs[i]);
		stderr_relay_close(&crew->command_relays[i]);
	}
	crew->commands.stop = fd_close(crew->commands.stop);
	job_control_fini(&crew->commands.suspend);
	worker_messages_fini(&crew->commands.notices);
}

void crew_commands_signal(struct crew *crew, int signal)
{
	if (!crew->commands.suspend.groups)
		return;
	if (signal == SIGSTOP)
		job_control_stop(&crew->commands.suspend);
	else
		job_control_continue(&crew->commands.suspend);
}
