/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a C stage from its shared object. */
#include "c_function.h"

#include "compile_cache.h"
#include "failure.h"
#include "number.h"
#include "quote.h"

#include <leat/stage.h>

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct c_function {
	void *handle;
	struct leat_stage stage;
};

/* What a message says of the stage: its name and the file it comes from. */
struct c_function_origin {
	const char *name;
	const char *path;
	const char *shown;
	int shown_size;
	bool compiled; /* the user wrote a .c file, and leat made the object */
};

static struct c_function_origin c_function_origin_of(const char *path, const char *name)
{
	size_t size;
	const char *shown = compile_cache_shown(path, &size);
	return (struct c_function_origin){
	    .name = name,
	    .path = path,
	    .shown = shown,
	    .shown_size = (int)size,
	    .compiled = shown != path || path[size] != '\0',
	};
}

static void *c_function_load(const struct c_function_origin *origin, struct leat_error *reterr)
{
	/* Without a slash dlopen() would search the system's libraries. */
	char *path;
	if (asprintf(&path, "%s%s", strchr(origin->path, '/') ? "" : "./", origin->path) < 0) {
		failure(reterr, LEAT_CANNOT_START, 0, "out of memory");
		return NULL;
	}
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		/* The reason begins with the path again, unless a library of it is at fault. */
		const char *why = dlerror();
		size_t size = strlen(path);
		if (strncmp(why, path, size) == 0 && strncmp(why + size, ": ", 2) == 0)
			why += size + 2;
		bool unlinked = origin->compiled && strstr(why, "undefined symbol");
		failure(reterr, LEAT_CANNOT_START, 0, "stage '%s': %.*s: %s%s", origin->name,
		    origin->shown_size, origin->shown, why,
		    unlinked ? "; name its library in a line such as /* leat: -lm */" : "");
	}
	free(path);
	return handle;
}

/* What the object itself, not a library that it links, defines by this name; NULL if nothing. */
static void *c_function_own(void *handle, const char *symbol)
{
	const struct link_map *own;
	struct link_map *found;
	Dl_info info;
	void *address = dlsym(handle, symbol);
	if (!address || dlinfo(handle, RTLD_DI_LINKMAP, &own) < 0 ||
	    dladdr1(address, &info, (void **)&found, RTLD_DL_LINKMAP) == 0)
		return NULL;
	return own == found ? address : NULL;
}

static int c_function_find(void *handle, const char *function,
    const struct c_function_origin *origin, struct leat_stage *ret_stage, struct leat_error *reterr)
{
	char *symbol;
	if (asprintf(&symbol, "leat_stage_%s", function) < 0)
		return failure(reterr, LEAT_CANNOT_START, -ENOMEM, "out of memory");
	const struct leat_stage *stage = dlsym(handle, symbol);
	free(symbol);
	void *own = c_function_own(handle, function);
	if (!stage && own)
		return failure(reterr, LEAT_CANNOT_START, -ENOENT,
		    "stage '%s': %.*s has %s() but no LEAT_STAGE(%s): add that line", origin->name,
		    origin->shown_size, origin->shown, function, function);
	if (!stage)
		return failure(reterr, LEAT_CANNOT_START, -ENOENT,
		    "stage '%s': %.*s: no function '%s'", origin->name, origin->shown_size,
		    origin->shown, function);
	if (stage->abi != LEAT_STAGE_ABI)
		return failure(reterr, LEAT_CANNOT_START, -ENOEXEC,
		    "stage '%s': %.*s was built for version %" PRIu32
		    " of the stage interface, this leat has %d: build it again",
		    origin->name, origin->shown_size, origin->shown, stage->abi, LEAT_STAGE_ABI);
	bool known = stage->kind == LEAT_STAGE_I64 || stage->kind == LEAT_STAGE_F64 ||
		     (stage->kind == LEAT_STAGE_RAW && stage->adapter);
	if (!known || !stage->function)
		return failure(reterr, LEAT_CANNOT_START, -ENOEXEC,
		    "stage '%s': %.*s: leat_stage_%s is not what LEAT_STAGE(%s) makes",
		    origin->name, origin->shown_size, origin->shown, function, function);
	*ret_stage = *stage;
	/*
	 * The dynamic linker looks a name up in the program and its libraries first,
	 * so a stage called "times" would end in the C library's function.
	 */
	if (own)
		memcpy(&ret_stage->function, &own, sizeof(own));
	return 0;
}

int c_function_open(const char *path, const char *function, const char *name,
    struct c_function **ret_native, struct leat_error *reterr)
{
	struct c_function_origin origin = c_function_origin_of(path, name);
	struct c_function *native = calloc(1, sizeof(*native));
	if (!native)
		return failure(reterr, LEAT_CANNOT_START, -ENOMEM, "out of memory");
	int r = access(path, F_OK) < 0 ? -errno : -ENOEXEC;
	native->handle = c_function_load(&origin, reterr);
	if (native->handle)
		r = c_function_find(native->handle, function, &origin, &native->stage, reterr);
	if (r < 0) {
		c_function_close(native);
		return r;
	}
	*ret_native = native;
	return 0;
}

/*
 * The object stays loaded: what it links may have started a thread or registered a
 * handler, and nothing is gained at the end of a run.
 */
struct c_function *c_function_close(struct c_function *native)
{
	free(native);
	return NULL;
}

const struct leat_stage *c_function_stage(const struct c_function *native)
{
	return &native->stage;
}
