/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "number.h"

#include <assert.h>
#include <string.h>

static_assert(
    BATCH_NUMBER_MAX >= NUMBER_I64_MAX && BATCH_NUMBER_MAX >= NUMBER_F64_MAX, "every number fits");

static int batch_number(const struct batch *batch, uint32_t index, char *number,
    const char **ret_record, size_t *ret_size)
{
	if (index >= batch->size / sizeof(int64_t))
		return 0;
	const char *at = (const char *)batch->data + index * sizeof(int64_t);
	int64_t integer;
	double real;
	memcpy(&integer, at, sizeof(integer));
	memcpy(&real, at, sizeof(real));
	*ret_record = number;
	*ret_size = batch->kind == LEAT_I64 ? number_print_i64(number, integer)
					    : number_print_f64(number, real);
	return 1;
}

int batch_record(const struct batch *batch, enum leat_frame frame, uint32_t index, char *number,
    const char **ret_record, size_t *ret_size)
{
	if (batch->kind != LEAT_RECORDS)
		return batch_number(batch, index, number, ret_record, ret_size);
	struct frame_reader reader = {frame, batch->data, (const char *)batch->data + batch->size};
	for (uint32_t i = 0; i <= index; i++) {
		if (!frame_next(&reader, ret_record, ret_size))
			return 0;
	}
	return 1;
}

size_t batch_size(const struct batch *batch, enum leat_frame frame, uint32_t n)
{
	if (batch->kind != LEAT_RECORDS)
		return n * sizeof(int64_t);
	struct frame_reader reader = {frame, batch->data, (const char *)batch->data + batch->size};
	const char *record;
	size_t size;
	while (n > 0 && frame_next(&reader, &record, &size))
		n--;
	return (size_t)(reader.at - (const char *)batch->data);
}
