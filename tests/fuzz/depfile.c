/* SPDX-License-Identifier: Apache-2.0 */
/* Input: what follows the colon in a compiler's list of files. */
#include "depfile.h"

#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	fuzz_expect(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	char *at = text;
	for (const char *path = depfile_next(&at); path; path = depfile_next(&at)) {
		fuzz_expect(path >= text && path[0] != '\0');
		fuzz_expect(path + strlen(path) <= at && at <= text + size);
	}
	free(text);
	return 0;
}
