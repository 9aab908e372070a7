/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

#include "quote.h"

#include <stdarg.h>
#include <stdio.h>

int failure(struct leat_error *reterr, int status, int code, const char *format, ...)
{
	if (!reterr)
		return code;
	reterr->status = status;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(reterr->text, sizeof(reterr->text), format, args);
	va_end(args);
	if (n >= (int)sizeof(reterr->text))
		quote_trim(reterr->text);
	return code;
}
