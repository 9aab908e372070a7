/* SPDX-License-Identifier: Apache-2.0 */
#include <leat/pipeline.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a run that cannot start leaves of its caller's descriptors. */
static void closes_nothing_of_its_callers(void **state)
{
	(void)state;
	struct leat_options options = leat_options_default();
	struct leat_error error = {0};
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	options.in_fd = ends[0];
	options.out_fd = ends[1];
	options.memory = 1 << 20;
	options.batch_bytes = 64 << 20;
	struct leat_pipeline *pipeline = leat_pipeline_new(&options);
	assert_int_equal(leat_pipeline_add(pipeline, "batch:cat", &error), 0);
	assert_int_equal(leat_pipeline_run(pipeline, &error), LEAT_CANNOT_START);
	assert_non_null(strstr(error.text, "raise --memory"));
	leat_pipeline_free(pipeline);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		assert_true(fcntl(fd, F_GETFD) >= 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(closes_nothing_of_its_callers)};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
