/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for libFuzzer in an ordinary build: replay FOLDER gives the target each
 * file of the folder, some hundred times with a few bytes changed, and random bytes.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define CHANGES	   300
#define INPUT_SIZE 4096

static uint64_t replay_seed = 88172645463325252;

/* xorshift64: the same inputs in every run. */
static uint64_t replay_random(void)
{
	replay_seed ^= replay_seed << 13;
	replay_seed ^= replay_seed >> 7;
	replay_seed ^= replay_seed << 17;
	return replay_seed;
}

static void replay_changed(const uint8_t *input, size_t size)
{
	uint8_t changed[INPUT_SIZE];
	(void)LLVMFuzzerTestOneInput(input, size);
	for (int i = 0; i < CHANGES && size > 0; i++) {
		memcpy(changed, input, size);
		for (uint64_t n = replay_random() % 4 + 1; n > 0; n--)
			changed[replay_random() % size] = (uint8_t)replay_random();
		(void)LLVMFuzzerTestOneInput(changed, replay_random() % size + 1);
	}
}

static void replay_any(void)
{
	uint8_t input[64];
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)replay_random();
	replay_changed(input, replay_random() % sizeof(input));
}

static bool replay_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t input[INPUT_SIZE];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (!file) {
		perror(path);
		return false;
	}
	replay_changed(input, fread(input, 1, sizeof(input), file));
	fclose(file);
	return true;
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	if (!folder) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	bool good = true;
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		if (entry->d_name[0] != '.')
			good = replay_file(argv[1], entry->d_name) && good;
	}
	closedir(folder);
	for (int i = 0; i < CHANGES; i++)
		replay_any();
	return good ? 0 : 1;
}
