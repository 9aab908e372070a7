/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person must read when a call fails. The library never prints: a call
 * that can fail for a reason a user must mend takes a `struct leat_error *` and
 * writes it on failure only.
 */
#ifndef LEAT_ERROR_H
#define LEAT_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* How a run ended; also the exit status of the program. */
enum leat_status {
	LEAT_OK = 0,		/* every record went through */
	LEAT_CANNOT_START = 2,	/* usage, or a stage that cannot start */
	LEAT_STOPPED = 3,	/* stopped by a failing record, stage or file */
	LEAT_INTERRUPTED = 130, /* SIGINT */
	LEAT_READER_GONE = 141, /* the reader of stdout closed it */
	LEAT_TERMINATED = 143,	/* SIGTERM or SIGHUP */
};

/*
 * status: one of enum leat_status.
 * text:   one line without a newline at its end and without the program's name,
 *         for example: stage 'mul': mul.py:14: ValueError: odd, record 3: "abc".
 *         Empty when whoever failed has said so already.
 * Ownership: the caller's; a plain value that may be copied.
 */
struct leat_error {
	int status;
	char text[1024];
};

#ifdef __cplusplus
}
#endif

#endif
