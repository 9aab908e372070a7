/* SPDX-License-Identifier: Apache-2.0 */
#include <leat.h>

int64_t increment(int64_t n)
{
	return n + 1;
}
LEAT_STAGE(increment)

int64_t twice(int64_t n)
{
	return 2 * n;
}
LEAT_STAGE(twice)
