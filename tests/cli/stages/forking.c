/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that fork, and whose child comes back, or ends by itself; and one that exits. */
#include <leat.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int64_t returns(int64_t n)
{
	if (fork() == 0)
		return n + 1000;
	wait(NULL);
	return n;
}
LEAT_STAGE(returns)

int64_t exits(int64_t n)
{
	int status = 0;
	if (fork() == 0)
		exit(7);
	wait(&status);
	return n - n + WEXITSTATUS(status);
}
LEAT_STAGE(exits)

int64_t quits(int64_t n)
{
	if (n == 3)
		exit(5);
	return n;
}
LEAT_STAGE(quits)
