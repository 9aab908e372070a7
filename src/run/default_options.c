/* SPDX-License-Identifier: Apache-2.0 */
/* What a run does when nobody says otherwise. */
#include <leat/pipeline.h>
#include <unistd.h>

#define DEFAULT_MAX_RECORD  (64ull << 20)
#define DEFAULT_BATCH_BYTES (1ull << 20)
#define DEFAULT_STALL_S	    10

struct leat_options leat_options_default(void)
{
	return (struct leat_options){
	    .mode = LEAT_AUTO,
	    .frame = LEAT_NEWLINE,
	    .max_record = DEFAULT_MAX_RECORD,
	    .python = "python3",
	    .in_name = "stdin",
	    .out_name = "stdout",
	    .in_fd = STDIN_FILENO,
	    .out_fd = STDOUT_FILENO,
	    .log_fd = STDERR_FILENO,
	    .trace_fd = -1,
	    .batch_bytes = DEFAULT_BATCH_BYTES,
	    .stall_s = DEFAULT_STALL_S,
	};
}
