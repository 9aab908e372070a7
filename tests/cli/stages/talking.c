/* SPDX-License-Identifier: Apache-2.0 */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t talk(int64_t n)
{
	for (int k = 0; k < 125; k++) {
		int length = k == 7 ? 5000 : (int)(n * 31 + k * 17) % 200;
		char line[5001] = "";
		memset(line, 'x', (size_t)length);
		fprintf(k % 2 ? stdout : stderr, "%d %d %d %s\n", (int)n, k, length, line);
	}
	return n;
}
LEAT_STAGE(talk)

int64_t give_up(int64_t n)
{
	if (n == 3) {
		printf("printed\n");
		fprintf(stderr, "written\n");
		abort();
	}
	return n;
}
LEAT_STAGE(give_up)
