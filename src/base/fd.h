/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors. Every descriptor made here is close-on-exec. Threads: any. */
#ifndef FD_H
#define FD_H

#include <stddef.h>
#include <sys/uio.h>

/* Closes fd unless it is negative. Returns -1. */
int fd_close(int fd);

/* Writes everything, whatever interrupts it. Returns 0 or -errno. */
int fd_write(int fd, const void *data, size_t size);

/* The same for a vector, which is changed on the way. */
int fd_write_vector(int fd, struct iovec *vector, int n);

/* Room in a pipe that programs are joined by, where the system gives as much. */
#define FD_PIPE_BYTES (1u << 20)

/*
 * A pipe with as much room as the user may have, at most FD_PIPE_BYTES, at least what
 * every pipe has. ret_ends as pipe() gives them. Returns 0 or -errno.
 */
int fd_wide_pipe(int ret_ends[2]);

/* A temporary file with no name. Returns the descriptor or -errno. */
int fd_temporary(void);

/* An eventfd, and ringing it: a wake-up for whoever polls it. Never blocks. */
int fd_bell(void);
void fd_ring(int bell);
void fd_clear_bell(int bell);

#endif
