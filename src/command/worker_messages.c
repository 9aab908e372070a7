/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_messages.h"

#include "fd.h"
#include "quote.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void worker_messages_init(struct worker_messages *notices, int bell)
{
	*notices = (struct worker_messages){.bell = bell};
	pthread_mutex_init(&notices->lock, NULL);
}

void worker_messages_fini(struct worker_messages *notices)
{
	pthread_mutex_destroy(&notices->lock);
}

void worker_messages_post(struct worker_messages *notices, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	pthread_mutex_lock(&notices->lock);
	if (notices->n < WORKER_MESSAGES_MAX) {
		char *text = notices->texts[notices->n++];
		if (vsnprintf(text, sizeof(notices->texts[0]), format, args) >=
		    (int)sizeof(notices->texts[0]))
			quote_trim(text);
	}
	pthread_mutex_unlock(&notices->lock);
	va_end(args);
	fd_ring(notices->bell);
}

void worker_messages_fail(struct worker_messages *notices, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	pthread_mutex_lock(&notices->lock);
	if (notices->error.status == LEAT_OK) {
		notices->error.status = LEAT_STOPPED;
		if (vsnprintf(notices->error.text, sizeof(notices->error.text), format, args) >=
		    (int)sizeof(notices->error.text))
			quote_trim(notices->error.text);
	}
	pthread_mutex_unlock(&notices->lock);
	va_end(args);
	fd_ring(notices->bell);
}

bool worker_messages_take(struct worker_messages *notices, char *text)
{
	pthread_mutex_lock(&notices->lock);
	bool found = notices->n > 0;
	if (found) {
		memcpy(text, notices->texts[0], sizeof(notices->texts[0]));
		notices->n--;
		memmove(
		    notices->texts[0], notices->texts[1], notices->n * sizeof(notices->texts[0]));
	}
	pthread_mutex_unlock(&notices->lock);
	return found;
}

struct leat_error worker_messages_error(struct worker_messages *notices)
{
	pthread_mutex_lock(&notices->lock);
	struct leat_error error = notices->error;
	pthread_mutex_unlock(&notices->lock);
	return error;
}
