// SPDX-License-Identifier: Apache-2.0
/* A cheap filter as people write them in C: blocks in, lower case to upper, blocks out. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static char block[64 << 10];
	ssize_t n;
	while ((n = read(STDIN_FILENO, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			unsigned char c = (unsigned char)block[i];
			block[i] = (char)(c - 'a' < 26u ? c - 32 : c);
		}
		for (ssize_t done = 0; done < n;) {
			ssize_t wrote = write(STDOUT_FILENO, block + done, (size_t)(n - done));
			if (wrote < 0) {
				perror("filter: write");
				return 1;
			}
			done += wrote;
		}
	}
	if (n < 0)
		perror("filter: read");
	return n < 0;
}
