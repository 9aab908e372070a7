/* SPDX-License-Identifier: Apache-2.0 */
#include <leat.h>

static int64_t mul(int64_t n)
{
	return n * 3;
}
LEAT_STAGE(mul)

static int64_t same(int64_t n)
{
	return n;
}
LEAT_STAGE(same)
