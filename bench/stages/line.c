/* SPDX-License-Identifier: Apache-2.0 */
/* A line goes through as it is. */
#include <leat.h>

int same(const void *record, size_t size, struct leat_out *out)
{
	return leat_emit(out, record, size);
}
LEAT_STAGE(same)
