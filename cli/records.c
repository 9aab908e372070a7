/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define RECORDS_CHUNK (64 * 1024)

/* Reads `size` bytes at `offset`, fewer only at the file's end; how many, or -errno. */
static ssize_t records_read(int fd, void *data, size_t size, uint64_t offset)
{
	size_t have = 0;
	while (have < size) {
		ssize_t n = pread(fd, (char *)data + have, size - have, (off_t)(offset + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* How far a walk over [from, to) came: whole records, and where the last of them ended. */
struct records_walk {
	uint64_t ended;
	uint64_t at;
	uint64_t size; /* of the file, or `to` */
};

static int records_walk_separated(
    int fd, uint64_t from, uint64_t to, char separator, struct records_walk *walk)
{
	char chunk[RECORDS_CHUNK];
	uint64_t at = from;
	while (at < to) {
		size_t wanted = to - at < sizeof(chunk) ? (size_t)(to - at) : sizeof(chunk);
		ssize_t n = records_read(fd, chunk, wanted, at);
		if (n < 0)
			return (int)n;
		const char *end = chunk + n;
		for (const char *found = chunk;
		     (found = memchr(found, separator, (size_t)(end - found))) != NULL;) {
			found++;
			walk->ended++;
			walk->at = at + (uint64_t)(found - chunk);
		}
		at += (uint64_t)n;
		if ((size_t)n < wanted)
			break;
	}
	walk->size = at;
	return 0;
}

static int records_walk_prefixed(int fd, uint64_t from, uint64_t to, struct records_walk *walk)
{
	char chunk[RECORDS_CHUNK];
	uint64_t chunk_at = from;
	size_t have = 0;
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return -errno;
	walk->size = to < (uint64_t)size ? to : (uint64_t)size;
	for (;;) {
		uint32_t length;
		if (walk->at < chunk_at || walk->at + sizeof(length) > chunk_at + have) {
			ssize_t n = records_read(fd, chunk, sizeof(chunk), walk->at);
			if (n < (ssize_t)sizeof(length))
				return n < 0 ? (int)n : 0;
			chunk_at = walk->at;
			have = (size_t)n;
		}
		memcpy(&length, chunk + (walk->at - chunk_at), sizeof(length));
		uint64_t next = walk->at + sizeof(length) + le32toh(length);
		if (next > walk->size)
			return 0;
		walk->at = next;
		walk->ended++;
	}
}

/* Counts the records that end in [from, to). */
static int records_walk(
    int fd, uint64_t from, uint64_t to, enum leat_frame frame, struct records_walk *walk)
{
	*walk = (struct records_walk){.at = from};
	switch (frame) {
	case LEAT_U32:
		return records_walk_prefixed(fd, from, to, walk);
	case LEAT_NUL:
		return records_walk_separated(fd, from, to, '\0', walk);
	case LEAT_NEWLINE:
		break;
	}
	return records_walk_separated(fd, from, to, '\n', walk);
}

int records_count(int fd, uint64_t from, enum leat_frame frame, struct records_total *ret_total)
{
	struct records_walk walk;
	int r = records_walk(fd, from, UINT64_MAX, frame, &walk);
	if (r < 0)
		return r;
	ret_total->bytes = walk.size > from ? walk.size - from : 0;
	ret_total->records = walk.ended + (walk.size > walk.at);
	return 0;
}

/* Finds the first byte at which two chunks part, or the shorter's end. */
static size_t records_parting(const char *one, const char *other, size_t size)
{
	size_t i = 0;
	while (i < size && one[i] == other[i])
		i++;
	return i;
}

int records_compare(
    int one, int other, enum leat_frame frame, struct records_difference *ret_difference)
{
	char chunk[RECORDS_CHUNK];
	char other_chunk[RECORDS_CHUNK];
	for (uint64_t at = 0;; at += sizeof(chunk)) {
		ssize_t n = records_read(one, chunk, sizeof(chunk), at);
		if (n < 0)
			return (int)n;
		ssize_t m = records_read(other, other_chunk, sizeof(other_chunk), at);
		if (m < 0)
			return (int)m;
		size_t common = (size_t)(n < m ? n : m);
		if (n != m || memcmp(chunk, other_chunk, common) != 0) {
			struct records_walk walk;
			uint64_t byte = at + records_parting(chunk, other_chunk, common);
			int r = records_walk(one, 0, byte, frame, &walk);
			if (r < 0)
				return r;
			ret_difference->byte = byte;
			ret_difference->record = walk.ended + 1;
			return 0;
		}
		if ((size_t)n < sizeof(chunk))
			return 1;
	}
}
