/* SPDX-License-Identifier: Apache-2.0 */
#include "cores.h"

#include <sched.h>
#include <unistd.h>

unsigned cores_usable(void)
{
	cpu_set_t set;
	/* On a machine with more cores than a cpu_set_t has bits it fails. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}
