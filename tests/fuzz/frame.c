/* SPDX-License-Identifier: Apache-2.0 */
/* Input: which framing, the longest record, the most records; then what is scanned. */
#include "frame.h"

#include "fuzz.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	enum leat_frame frame = (enum leat_frame)(data[0] % 3);
	uint64_t max_record = data[1];
	uint32_t max_records = data[2];
	const char *text = (const char *)data + 3;
	size -= 3;
	uint32_t n = 0;
	size_t taken = 0;
	int r = frame_scan(frame, text, size, max_record, max_records, &n, &taken);
	fuzz_expect(r == 0 || r == -EMSGSIZE);
	fuzz_expect(n <= max_records && taken <= size);

	/* What was counted can be walked over, and written again as it was. */
	struct frame_reader reader = {.frame = frame, .at = text, .end = text + taken};
	char *copy = malloc(taken + 1);
	fuzz_expect(copy != NULL);
	char *to = copy;
	const char *record;
	size_t record_size;
	for (uint32_t i = 0; i < n; i++) {
		fuzz_expect(frame_next(&reader, &record, &record_size) == 1);
		fuzz_expect(record_size <= max_record);
		fuzz_expect(frame_check(frame, record, record_size) == 0);
		to = frame_put(frame, to, record, record_size);
	}
	fuzz_expect(frame_next(&reader, &record, &record_size) == 0);
	fuzz_expect((size_t)(to - copy) == taken && memcmp(copy, text, taken) == 0);
	free(copy);

	/* A walk stays inside whatever it is given. */
	reader = (struct frame_reader){.frame = frame, .at = text, .end = text + size};
	while (frame_next(&reader, &record, &record_size))
		fuzz_expect(record + record_size <= text + size);
	return 0;
}
