/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache has two levels, since which headers a file includes is only known
 * once it has been compiled:
 *
 *	<key>.deps		the files that went into the last compilation of a source
 *				with this content, in this folder, by this command;
 *				paths, each ended by a NUL
 *	mul.c-<key>.so		the object, its key a hash of the first key and of
 *				what is in those files
 *
 * A hit reads the source and its headers, and starts no process. Nothing is ever
 * deleted here: the folder may be removed at any time.
 */
#include "compile_cache.h"

#include "cache_folder.h"
#include "compiler.h"
#include "depfile.h"
#include "failure.h"
#include "fd.h"

#include <leat/stage.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Hex digits of a key. */
#define COMPILE_KEY_SIZE 32
/* So much of the source's name goes into the object's: file names end at 255 bytes. */
#define COMPILE_SHOWN_MAX 128

struct compile_cache {
	const char *path; /* as the user wrote it */
	const char *base; /* its part after the last slash */
	const char *name;
	int stderr_fd;
	char *cwd;
	char *folder; /* of the cache */
	char *source;
	size_t source_size;
	struct compiler compiler;
	char key[COMPILE_KEY_SIZE + 1];
	/* Whether a file that was hashed is newer than the moment the source was read. */
	struct timespec started;
	bool changed;
	struct leat_error error;
};

static bool compile_cache_later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static int compile_cache_read_fd(int fd, size_t capacity, char *data, size_t *ret_size)
{
	size_t size = 0;
	while (size < capacity) {
		ssize_t n = read(fd, data + size, capacity - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* It was cut short meanwhile. */
		if (n == 0)
			break;
		size += (size_t)n;
	}
	data[size] = '\0';
	*ret_size = size;
	return 0;
}

/* Reads a whole file, and puts a NUL behind it. Anything but a file is refused without waiting. */
static int compile_cache_read(
    struct compile_cache *job, const char *path, char **ret_data, size_t *ret_size)
{
	struct stat status;
	char *data = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int r = fstat(fd, &status) < 0 ? -errno : 0;
	if (r == 0 && !S_ISREG(status.st_mode))
		r = S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
	if (r == 0) {
		data = malloc((size_t)status.st_size + 1);
		r = data ? compile_cache_read_fd(fd, (size_t)status.st_size, data, ret_size)
			 : -ENOMEM;
	}
	fd_close(fd);
	if (r < 0) {
		free(data);
		return r;
	}
	job->changed = job->changed || compile_cache_later(status.st_ctim, job->started);
	*ret_data = data;
	return 0;
}

/* Sizes are hashed too, so that no two lists of texts run together into the same bytes. */
static void compile_cache_hash(XXH3_state_t *state, const void *data, size_t size)
{
	uint64_t length = size;
	XXH3_128bits_update(state, &length, sizeof(length));
	XXH3_128bits_update(state, data, size);
}

static void compile_cache_hash_text(XXH3_state_t *state, const char *text)
{
	compile_cache_hash(state, text ? text : "", text ? strlen(text) + 1 : 0);
}

static void compile_cache_key(const XXH3_state_t *state, char *to)
{
	XXH128_canonical_t bytes;
	XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state));
	for (size_t i = 0; i < sizeof(bytes.digest); i++)
		sprintf(to + 2 * i, "%02x", bytes.digest[i]);
}

/* Whether the user's words may name something relative to where the compiler runs. */
static bool compile_cache_needs_cwd(const struct compile_cache *job)
{
	const char *flags = getenv("CFLAGS");
	if (flags && flags[0])
		return true;
	for (size_t i = 0; i < job->compiler.link.n; i++) {
		if (strncmp(job->compiler.link.at[i], "-l", 2) != 0)
			return true;
	}
	return false;
}

static void compile_cache_hash_words(XXH3_state_t *state, const struct compiler_words *words)
{
	compile_cache_hash(state, &words->n, sizeof(words->n));
	for (size_t i = 0; i < words->n; i++)
		compile_cache_hash_text(state, words->at[i]);
}

/* The first key, of all but the headers. The folder counts: a source includes what is beside it. */
static int compile_cache_make_key(struct compile_cache *job)
{
	static const char *const variables[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"};
	char *folder = strndup(job->path, (size_t)(job->base - job->path));
	char *real = folder ? realpath(folder[0] ? folder : ".", NULL) : NULL;
	int r = real ? 0 : -errno;
	if (r == 0) {
		XXH3_state_t state;
		XXH3_128bits_reset(&state);
		compile_cache_hash(&state, &(uint32_t){LEAT_STAGE_ABI}, sizeof(uint32_t));
		compile_cache_hash_text(&state, real);
		compile_cache_hash_text(&state, job->base);
		compile_cache_hash(&state, job->source, job->source_size);
		compile_cache_hash_words(&state, &job->compiler.command);
		compile_cache_hash_words(&state, &job->compiler.link);
		compile_cache_hash_text(&state, compile_cache_needs_cwd(job) ? job->cwd : NULL);
		for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
			compile_cache_hash_text(&state, getenv(variables[i]));
		compile_cache_key(&state, job->key);
	}
	free(real);
	free(folder);
	return r;
}

/* The object's path, from the first key and the files (each ended by a NUL) as they are now. */
static int compile_cache_object(
    struct compile_cache *job, const char *files, size_t size, char **ret_object)
{
	XXH3_state_t state;
	XXH3_128bits_reset(&state);
	compile_cache_hash_text(&state, job->key);
	for (const char *at = files; at < files + size; at += strlen(at) + 1) {
		char *data;
		size_t data_size;
		int r = compile_cache_read(job, at, &data, &data_size);
		if (r < 0)
			return r;
		compile_cache_hash(&state, data, data_size);
		free(data);
	}
	char key[COMPILE_KEY_SIZE + 1];
	compile_cache_key(&state, key);
	int n =
	    asprintf(ret_object, "%s/%.*s-%s.so", job->folder, COMPILE_SHOWN_MAX, job->base, key);
	return n < 0 ? -ENOMEM : 0;
}

/* Returns 1 with the object's path when it is there, 0 when it must be made, or -ENOMEM. */
static int compile_cache_find(struct compile_cache *job, char **ret_object)
{
	char *path;
	if (asprintf(&path, "%s/%s.deps", job->folder, job->key) < 0)
		return -ENOMEM;
	char *files = NULL;
	size_t size;
	char *object = NULL;
	int r = compile_cache_read(job, path, &files, &size);
	if (r == 0)
		r = compile_cache_object(job, files, size, &object);
	if (r == 0 && access(object, R_OK) == 0) {
		*ret_object = object;
		object = NULL;
		r = 1;
	} else if (r != -ENOMEM) {
		r = 0;
	}
	free(object);
	free(files);
	free(path);
	return r;
}

/* The files that a compilation read, from what the compiler wrote of them, made absolute. */
static int compile_cache_list_files(
    struct compile_cache *job, const char *depfile, char **ret_files, size_t *ret_size)
{
	char *text;
	size_t text_size;
	int r = compile_cache_read(job, depfile, &text, &text_size);
	if (r < 0)
		return r;
	FILE *list = open_memstream(ret_files, ret_size);
	if (!list) {
		free(text);
		return -ENOMEM;
	}
	char *at = strchr(text, ':');
	at = at ? at + 1 : text + text_size;
	for (const char *path = depfile_next(&at); path; path = depfile_next(&at)) {
		if (path[0] != '/')
			fprintf(list, "%s/", job->cwd);
		fwrite(path, 1, strlen(path) + 1, list);
	}
	free(text);
	if (fclose(list) == 0)
		return 0;
	free(*ret_files);
	return -ENOMEM;
}

/* It is on the disk before it has its name: what has it is never looked into again. */
static int compile_cache_rename(const char *from, const char *to)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) < 0 || rename(from, to) < 0 ? -errno : 0;
	fd_close(fd);
	return r;
}

/* The depfile has been read, and is written over: one temporary name less. */
static int compile_cache_put_files(
    const struct compile_cache *job, const char *depfile, const char *files, size_t size)
{
	char *path;
	if (asprintf(&path, "%s/%s.deps", job->folder, job->key) < 0)
		return -ENOMEM;
	FILE *out = fopen(depfile, "we");
	int r = out ? 0 : -errno;
	if (r == 0) {
		fwrite(files, 1, size, out);
		r = ferror(out) ? -EIO : 0;
		if (fclose(out) != 0 && r == 0)
			r = -errno;
	}
	if (r == 0)
		r = compile_cache_rename(depfile, path);
	free(path);
	return r;
}

/*
 * Moves what was compiled into the cache. Returns -EAGAIN if a file was changed
 * while the compiler may have been reading it, unless that is to be accepted:
 * the clock of a file server may be ahead of ours.
 */
static int compile_cache_publish(struct compile_cache *job, const char *object, const char *depfile,
    bool accept_changed, char **ret_object)
{
	char *files;
	size_t size;
	char *path = NULL;
	int r = compile_cache_list_files(job, depfile, &files, &size);
	if (r < 0)
		return r;
	/* The depfile itself is new, of course. */
	job->changed = false;
	r = compile_cache_object(job, files, size, &path);
	if (r == 0 && job->changed && !accept_changed)
		r = -EAGAIN;
	if (r == 0)
		r = compile_cache_rename(object, path);
	if (r == 0)
		r = compile_cache_put_files(job, depfile, files, size);
	free(files);
	if (r < 0)
		free(path);
	else
		*ret_object = path;
	return r;
}

/* One compilation, under temporary names that are gone when it returns. */
static int compile_cache_once(struct compile_cache *job, bool accept_changed, char **ret_object)
{
	char *object = NULL;
	char *depfile = NULL;
	if (asprintf(&object, "%s/tmp-XXXXXX.so", job->folder) < 0)
		return -ENOMEM;
	int fd = mkostemps(object, (int)strlen(".so"), O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;
	fd_close(fd);
	if (r == 0 && asprintf(&depfile, "%s.d", object) < 0) {
		depfile = NULL;
		r = -ENOMEM;
	}
	if (r == 0) {
		struct compiler_job command = {
		    .name = job->name,
		    .source = job->path,
		    .object = object,
		    .depfile = depfile,
		    .stderr_fd = job->stderr_fd,
		};
		r = compiler_run(&job->compiler, &command, &job->error);
	}
	if (r == 0)
		r = compile_cache_publish(job, object, depfile, accept_changed, ret_object);
	if (fd >= 0)
		(void)unlink(object);
	if (depfile)
		(void)unlink(depfile);
	free(depfile);
	free(object);
	return r;
}

/* An interrupt ends the compiler, and this process only when its temporary files are gone. */
static int compile_cache_make(struct compile_cache *job, char **ret_object)
{
	sigset_t stopping;
	sigset_t before;
	sigemptyset(&stopping);
	sigaddset(&stopping, SIGINT);
	sigaddset(&stopping, SIGTERM);
	sigaddset(&stopping, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &stopping, &before);
	int r = compile_cache_once(job, false, ret_object);
	if (r == -EAGAIN) {
		clock_gettime(CLOCK_REALTIME, &job->started);
		r = compile_cache_once(job, true, ret_object);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int compile_cache_cached(const char *path, const char *name, const char *include_dir, int stderr_fd,
    char **ret_object, struct leat_error *reterr)
{
	const char *slash = strrchr(path, '/');
	struct compile_cache job = {
	    .path = path,
	    .base = slash ? slash + 1 : path,
	    .name = name,
	    .stderr_fd = stderr_fd,
	};
	clock_gettime(CLOCK_REALTIME, &job.started);
	int r = compile_cache_read(&job, path, &job.source, &job.source_size);
	if (r < 0)
		failure(&job.error, LEAT_CANNOT_START, r, "stage '%s': %s: %s", name, path,
		    strerror(-r));
	if (r == 0) {
		job.cwd = getcwd(NULL, 0);
		r = job.cwd ? 0 : -errno;
	}
	if (r == 0)
		r = cache_folder_open(name, &job.folder, &job.error);
	if (r == 0)
		r = compiler_init(&job.compiler, include_dir, job.source, job.source_size);
	if (r == 0)
		r = compile_cache_make_key(&job);
	if (r == 0)
		r = compile_cache_find(&job, ret_object);
	if (r == 0)
		r = compile_cache_make(&job, ret_object);
	if (r < 0 && job.error.status == 0)
		failure(&job.error, LEAT_CANNOT_START, r, "stage '%s': cannot compile %s: %s", name,
		    path, strerror(-r));
	if (r < 0 && reterr)
		*reterr = job.error;
	compiler_fini(&job.compiler);
	free(job.source);
	if (r < 0)
		cache_folder_discard(job.folder);
	free(job.folder);
	free(job.cwd);
	return r < 0 ? r : 0;
}

const char *compile_cache_shown(const char *object, size_t *ret_size)
{
	static const char hex[] = "0123456789abcdef";
	size_t size = strlen(object);
	/* "-", the key and ".so" */
	size_t tail = 1 + COMPILE_KEY_SIZE + 3;
	const char *slash = strrchr(object, '/');
	const char *base = slash ? slash + 1 : object;
	const char *end = size > tail ? object + size - tail : object;
	bool cached = end > base && *end == '-' && strspn(end + 1, hex) == COMPILE_KEY_SIZE &&
		      strcmp(end + 1 + COMPILE_KEY_SIZE, ".so") == 0;
	*ret_size = cached ? (size_t)(end - base) : size;
	return cached ? base : object;
}
