/* SPDX-License-Identifier: Apache-2.0 */
#include "content.h"

#include "random.h"

#include <string.h>

static size_t content_begin(uint64_t seed, uint32_t size_bits, uint64_t seq, uint64_t *ret_state)
{
	*ret_state = seed ^ seq * 0x2545f4914f6cdd1d;
	uint64_t kind = random_below(ret_state, 1000);
	size_t size = random_below(ret_state, 1ull << size_bits);
	if (kind < 100)
		size = 0;
	else if (kind < 105)
		size = random_below(ret_state, CONTENT_MAX);
	return size;
}

size_t content_size(uint64_t seed, uint32_t size_bits, uint64_t seq)
{
	uint64_t state;
	return content_begin(seed, size_bits, seq, &state);
}

size_t content_make(uint64_t seed, uint32_t size_bits, uint64_t seq, char *to)
{
	uint64_t state;
	size_t size = content_begin(seed, size_bits, seq, &state);
	uint64_t word = random_next(&state);
	/* A word at a time; ThreadSanitizer looks at each access. */
	for (size_t i = 0; i < size; i += sizeof(word)) {
		memcpy(to + i, &word, size - i < sizeof(word) ? size - i : sizeof(word));
		word = word * 3 + i;
	}
	return size;
}

size_t content_change(unsigned position, const char *from, size_t size, char *to)
{
	char key = (char)(position * 41);
	uint64_t word = 0;
	size_t i = 0;
	for (; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, from + i, sizeof(word));
		word = word * 3 + position;
		memcpy(to + i, &word, sizeof(word));
	}
	for (; i < size; i++)
		to[i] = (char)(from[i] + key);
	/* Stages of an odd position add a byte, the others drop one. */
	if (position % 2 == 0)
		return size ? size - 1 : 0;
	to[size] = key;
	return size + 1;
}
