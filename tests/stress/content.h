/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a batch, at the source and after each stage: from its number alone. */
#ifndef CONTENT_H
#define CONTENT_H

#include <stddef.h>
#include <stdint.h>

#define CONTENT_MAX (400u << 10)

/* How large content_make makes a batch. */
size_t content_size(uint64_t seed, uint32_t size_bits, uint64_t seq);

/*
 * A batch as the source makes it, most shorter than 1 << size_bits, few up to CONTENT_MAX.
 * Returns its size.
 */
size_t content_make(uint64_t seed, uint32_t size_bits, uint64_t seq, char *to);

/*
 * What a stage does: a change of every byte that depends on the stage, and of the size by
 * one at most. Returns the new size.
 */
size_t content_change(unsigned position, const char *from, size_t size, char *to);

#endif
