/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target is a file that defines LLVMFuzzerTestOneInput(). Linked with
 * replay.c it is an ordinary test; with clang's -fsanitize=fuzzer, libFuzzer calls it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assertion that stays in a release build. */
static inline void fuzz_expect(bool holds)
{
	if (!holds)
		abort();
}

#endif
