/* SPDX-License-Identifier: Apache-2.0 */
#include <leat.h>
#include <signal.h>

/* As a wild pointer would end it, but surely. */
int64_t crash(int64_t n)
{
	if (n == 3)
		raise(SIGSEGV);
	return n;
}
LEAT_STAGE(crash)
