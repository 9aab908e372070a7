/* SPDX-License-Identifier: Apache-2.0 */
#include "run_outcome.h"

void run_fail(struct run *run, const struct leat_error *error)
{
	if (run->error.status != LEAT_OK)
		return;
	run->error = *error;
	if (run->options->filter && error->status == LEAT_READER_GONE)
		run->error.text[0] = '\0';
}

void run_abort_all(struct run *run, bool force)
{
	for (uint32_t i = 0; i < run->n_segments; i++)
		segment_abort(run->segments[i], force);
}
