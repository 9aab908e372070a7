// SPDX-License-Identifier: Apache-2.0
/*
 * A long stream of numbered lines, and a check that exactly that stream arrives.
 *
 *	lines write BYTES | ... | lines check BYTES
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 64
#define DIGITS	  16
#define N_LINES	  4096

static char expected[N_LINES * LINE_SIZE];

/* The lines from `number` on. */
static void fill(uint64_t number)
{
	for (size_t i = 0; i < N_LINES; i++) {
		char *line = expected + i * LINE_SIZE;
		uint64_t rest = number + i;
		for (int at = DIGITS - 1; at >= 0; at--, rest /= 10)
			line[at] = (char)('0' + rest % 10);
	}
}

static int write_all(uint64_t n_blocks)
{
	for (uint64_t block = 0; block < n_blocks; block++) {
		fill(block * N_LINES);
		for (size_t done = 0; done < sizeof(expected);) {
			ssize_t n = write(STDOUT_FILENO, expected + done, sizeof(expected) - done);
			if (n < 0) {
				perror("lines: write");
				return 1;
			}
			done += (size_t)n;
		}
	}
	return 0;
}

static int check_all(uint64_t n_blocks)
{
	static char got[sizeof(expected)];
	for (uint64_t block = 0; block < n_blocks; block++) {
		fill(block * N_LINES);
		size_t done = 0;
		ssize_t n = 1;
		while (done < sizeof(got) && n > 0) {
			n = read(STDIN_FILENO, got + done, sizeof(got) - done);
			done += n > 0 ? (size_t)n : 0;
		}
		if (done < sizeof(got) || memcmp(got, expected, sizeof(got)) != 0) {
			fprintf(stderr, "lines: wrong or missing near line %llu\n",
			    (unsigned long long)(block * N_LINES));
			return 1;
		}
	}
	if (read(STDIN_FILENO, got, 1) != 0) {
		fprintf(stderr, "lines: more lines than went in\n");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t bytes = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	int checks = argc == 3 && strcmp(argv[1], "check") == 0;
	if (bytes < sizeof(expected) || (!checks && strcmp(argv[1], "write") != 0)) {
		fprintf(stderr, "usage: lines write|check BYTES, at least %zu\n", sizeof(expected));
		return 2;
	}
	memset(expected, '.', sizeof(expected));
	for (size_t i = 1; i <= N_LINES; i++)
		expected[i * LINE_SIZE - 1] = '\n';
	uint64_t n_blocks = bytes / sizeof(expected);
	return checks ? check_all(n_blocks) : write_all(n_blocks);
}
