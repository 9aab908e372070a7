/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three framings. What is read here comes from outside (stdin, a command,
 * another process's shared memory), so every length is checked against what is
 * really there.
 */
#include "frame.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Below this many records wanted, to count those in a block is a waste. */
#define FRAME_SKIP_MIN 16

/* What precedes a record in u32 framing. */
#define FRAME_PREFIX sizeof(uint32_t)

char frame_separator(enum leat_frame frame)
{
	return frame == LEAT_NUL ? '\0' : '\n';
}

static uint32_t frame_prefix(const char *at)
{
	uint32_t length;
	memcpy(&length, at, sizeof(length));
	return le32toh(length);
}

int frame_next(struct frame_reader *reader, const char **ret_record, size_t *ret_size)
{
	const char *at = reader->at;
	size_t left = (size_t)(reader->end - at);
	if (left == 0)
		return 0;
	if (reader->frame == LEAT_U32) {
		if (left < FRAME_PREFIX || frame_prefix(at) > left - FRAME_PREFIX)
			return 0;
		*ret_record = at + FRAME_PREFIX;
		*ret_size = frame_prefix(at);
		reader->at = *ret_record + *ret_size;
		return 1;
	}
	const char *end = memchr(at, frame_separator(reader->frame), left);
	if (!end)
		return 0;
	*ret_record = at;
	*ret_size = (size_t)(end - at);
	reader->at = end + 1;
	return 1;
}

size_t frame_size(enum leat_frame frame, size_t record_size)
{
	return record_size + (frame == LEAT_U32 ? FRAME_PREFIX : 1);
}

int frame_check(enum leat_frame frame, const void *record, size_t size)
{
	if (frame == LEAT_U32)
		return size <= UINT32_MAX ? 0 : -EILSEQ;
	return size > 0 && memchr(record, frame_separator(frame), size) ? -EILSEQ : 0;
}

size_t frame_before(enum leat_frame frame)
{
	return frame == LEAT_U32 ? FRAME_PREFIX : 0;
}

char *frame_finish(enum leat_frame frame, char *to, size_t size)
{
	if (frame == LEAT_U32) {
		uint32_t length = htole32((uint32_t)size);
		memcpy(to, &length, sizeof(length));
		return to + FRAME_PREFIX + size;
	}
	to[size] = frame_separator(frame);
	return to + size + 1;
}

char *frame_put(enum leat_frame frame, char *to, const void *record, size_t size)
{
	if (size > 0)
		memcpy(to + frame_before(frame), record, size);
	return frame_finish(frame, to, size);
}

/*
 * The bytes that the first record of `data` takes with its framing; 0 when it
 * is not whole yet; -EMSGSIZE when it is, or will be, longer than max_record.
 */
static int frame_first(
    enum leat_frame frame, const char *data, size_t size, uint64_t max_record, size_t *ret_size)
{
	*ret_size = 0;
	if (frame == LEAT_U32) {
		if (size < FRAME_PREFIX)
			return 0;
		uint32_t length = frame_prefix(data);
		if (length > max_record)
			return -EMSGSIZE;
		if (length <= size - FRAME_PREFIX)
			*ret_size = FRAME_PREFIX + length;
		return 0;
	}
	/* One byte more than the longest record: its separator. */
	size_t within = size > max_record ? (size_t)max_record + 1 : size;
	const char *end = within > 0 ? memchr(data, frame_separator(frame), within) : NULL;
	if (end)
		*ret_size = (size_t)(end - data) + 1;
	else if (size > max_record)
		return -EMSGSIZE;
	return 0;
}

/* Sixteen bytes at a time, on any machine: the compiler knows what it has. */
typedef uint8_t frame_lanes __attribute__((vector_size(16)));

/* What is counted at once: a lane would overflow after 255 bytes. */
#define FRAME_BLOCK (64 * sizeof(frame_lanes))

/* The separators in up to a block. */
static uint32_t frame_count(const char *data, size_t size, char separator)
{
	const char *end = data + size;
	frame_lanes sums = {0};
	for (; (size_t)(end - data) >= sizeof(sums); data += sizeof(sums)) {
		frame_lanes bytes;
		memcpy(&bytes, data, sizeof(bytes));
		/* A comparison gives all ones, which is minus one, where it holds. */
		sums -= (frame_lanes)(bytes == (uint8_t)separator);
	}
	uint32_t count = 0;
	for (size_t lane = 0; lane < sizeof(sums); lane++)
		count += sums[lane];
	for (; data < end; data++)
		count += *data == separator;
	return count;
}

/*
 * Skips whole blocks, where no record can be too long, as far as they end at most
 * max_records records. Returns how many of these they end, and where the last one does.
 */
static uint32_t frame_skip(
    char separator, const char *data, size_t size, uint32_t max_records, size_t *ret_size)
{
	uint32_t records = 0;
	size_t at = 0;
	while (at < size) {
		size_t block = size - at < FRAME_BLOCK ? size - at : FRAME_BLOCK;
		uint32_t more = frame_count(data + at, block, separator);
		if (more > max_records - records)
			break;
		records += more;
		at += block;
	}
	const char *last = at > 0 ? memrchr(data, separator, at) : NULL;
	*ret_size = last ? (size_t)(last - data) + 1 : 0;
	return records;
}

int frame_scan(enum leat_frame frame, const char *data, size_t size, uint64_t max_record,
    uint32_t max_records, uint32_t *ret_records, size_t *ret_size)
{
	uint32_t records = 0;
	size_t at = 0;
	if (frame != LEAT_U32 && size <= max_record && max_records >= FRAME_SKIP_MIN)
		records = frame_skip(frame_separator(frame), data, size, max_records, &at);
	while (records < max_records) {
		size_t taken;
		int r = frame_first(frame, data + at, size - at, max_record, &taken);
		if (r < 0 && records == 0)
			return r;
		if (r < 0 || taken == 0)
			break;
		at += taken;
		records++;
	}
	*ret_records = records;
	*ret_size = at;
	return 0;
}
