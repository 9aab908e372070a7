/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_spec.h"

#include "cache_folder.h"
#include "compile_cache.h"
#include "failure.h"
#include "find_program.h"
#include "install_paths.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool stage_spec_has_space(const char *text)
{
	return strpbrk(text, " \t\n") != NULL;
}

static bool stage_spec_has_suffix(const char *text, const char *suffix)
{
	size_t size = strlen(text);
	size_t tail = strlen(suffix);
	return size > tail && strcmp(text + size - tail, suffix) == 0;
}

/*
 * Whether NAME= begins a command that a variable is set for, as in LC_ALL=C sort: names
 * of variables have no small letters, and a command follows.
 */
static bool stage_spec_sets_variable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (islower((unsigned char)text[i]))
			return false;
	}
	const char *end = text + size + strcspn(text + size, " \t\n");
	return end[strspn(end, " \t\n")] != '\0';
}

/* The length of a NAME= in front of a stage, without the '='; 0 if there is none. */
static size_t stage_spec_name_size(const char *text)
{
	if (!isalpha((unsigned char)text[0]) && text[0] != '_')
		return 0;
	size_t n = 1;
	while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-')
		n++;
	/* As a second stage of that name is called: sort#2. */
	if (text[n] == '#' && isdigit((unsigned char)text[n + 1]))
		n += 1 + strspn(text + n + 1, "0123456789");
	return text[n] == '=' && !stage_spec_sets_variable(text, n) ? n : 0;
}

/* A function's name: identifiers joined by dots. */
static bool stage_spec_is_function(const char *text)
{
	bool start = true;
	for (; *text; text++) {
		if (start ? !isalpha((unsigned char)*text) && *text != '_'
			  : !isalnum((unsigned char)*text) && *text != '_' && *text != '.')
			return false;
		start = *text == '.';
	}
	return !start;
}

/* The last part of a path of this size. */
static char *stage_spec_base_name(const char *path, size_t size)
{
	size_t start = size;
	while (start > 0 && path[start - 1] != '/')
		start--;
	return strndup(path + start, size - start);
}

/* Whether a word of a command is VARIABLE=value. */
static bool stage_spec_is_assignment(const char *word, size_t size)
{
	size_t n = 0;
	while (n < size && (isalnum((unsigned char)word[n]) || word[n] == '_'))
		n++;
	return n > 0 && n < size && word[n] == '=';
}

/*
 * For a program that runs a script, as python3.11 does: the option behind which the
 * script stands on the line itself. 0: it is none.
 */
static char stage_spec_interpreter(const char *program)
{
	static const struct {
		const char *name;
		char option;
	} interpreters[] = {
	    {"bash", 'c'},
	    {"node", 'e'},
	    {"perl", 'e'},
	    {"python", 'c'},
	    {"ruby", 'e'},
	    {"sh", 'c'},
	};
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		size_t size = strlen(interpreters[i].name);
		if (strncmp(program, interpreters[i].name, size) == 0 &&
		    program[size + strspn(program + size, "0123456789.")] == '\0')
			return interpreters[i].option;
	}
	return 0;
}

/* The start of the next word of a command, and its size; 0 at its end. */
static size_t stage_spec_next_word(const char **at, const char *end)
{
	*at = end + strspn(end, " \t\n");
	return strcspn(*at, " \t\n;|&<>()");
}

/* The script that an interpreter is told to run. NULL: none, or it stands on the line. */
static char *stage_spec_script_name(const char *arguments, char option)
{
	const char *word = arguments;
	size_t size = stage_spec_next_word(&word, word);
	while (size > 1 && word[0] == '-' && word[size - 1] != option)
		size = stage_spec_next_word(&word, word + size);
	if (size == 0 || word[0] == '-' || strcspn(word, "'\"$`\\") < size)
		return NULL;
	char *name = stage_spec_base_name(word, size);
	char *dot = name ? strrchr(name, '.') : NULL;
	if (dot && dot != name && !isdigit((unsigned char)dot[1]))
		*dot = '\0';
	return name;
}

/* Whether a command that begins so is a script, and has no program to be called after. */
static bool stage_spec_is_shell_word(const char *word)
{
	static const char *const words[] = {"!", ".", ":", "alias", "case", "cd", "eval", "exec",
	    "export", "for", "if", "read", "set", "trap", "unset", "until", "while", "{"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

/*
 * A command is called after its program, and an interpreter's script after the
 * script: `LC_ALL=C sort -n` is sort, `python3 -u tools/mul.py` is mul.
 */
static char *stage_spec_command_name(const char *command)
{
	const char *word = command;
	size_t size = stage_spec_next_word(&word, word);
	while (stage_spec_is_assignment(word, size))
		size = stage_spec_next_word(&word, word + size);
	char *name = stage_spec_base_name(word, size);
	char option = name ? stage_spec_interpreter(name) : 0;
	if (option) {
		char *script = stage_spec_script_name(word + size, option);
		if (script) {
			free(name);
			name = script;
		}
	}
	if (name && *name && !stage_spec_is_shell_word(name))
		return name;
	bool is_script = name && *name;
	free(name);
	return strdup(is_script ? "shell" : "command");
}

/* Whether a command is assignments alone: a shell would do nothing, and drop every record. */
static bool stage_spec_only_assigns(const char *command)
{
	const char *word = command;
	size_t size = stage_spec_next_word(&word, word);
	bool assigns = stage_spec_is_assignment(word, size);
	while (stage_spec_is_assignment(word, size))
		size = stage_spec_next_word(&word, word + size);
	return assigns && *word == '\0';
}

/* How a command is spoken with. */
static const struct {
	const char *prefix;
	enum stage_kind kind;
} spec_protocols[] = {
    {"stream:", STAGE_COMMAND},
    {"line:", STAGE_LINE},
    {"batch:", STAGE_BATCH},
    {"each:", STAGE_EACH},
};
#define SPEC_PROTOCOLS (sizeof(spec_protocols) / sizeof(spec_protocols[0]))

static int stage_spec_command(
    enum stage_kind kind, const char *command, struct stage_spec *spec, struct leat_error *reterr)
{
	if (command[strspn(command, " \t\n")] == '\0')
		return failure(reterr, LEAT_CANNOT_START, -EINVAL, "a stage with no command");
	if (stage_spec_only_assigns(command))
		return failure(reterr, LEAT_CANNOT_START, -EINVAL,
		    "a stage that only sets a variable, '%.200s': no command follows", command);
	spec->kind = kind;
	spec->target = strdup(command);
	if (!spec->name)
		spec->name = stage_spec_command_name(command);
	return spec->target && spec->name ? 0 : -ENOMEM;
}

static int stage_spec_function(enum stage_kind kind, const char *target, size_t size,
    const char *function, struct stage_spec *spec)
{
	spec->kind = kind;
	spec->target = strndup(target, size);
	spec->function = strdup(function);
	if (!spec->name) {
		const char *dot = strrchr(function, '.');
		spec->name = strdup(dot ? dot + 1 : function);
	}
	return spec->target && spec->function && spec->name ? 0 : -ENOMEM;
}

static int stage_spec_module(const char *text, struct stage_spec *spec, struct leat_error *reterr)
{
	const char *colon = strchr(text, ':');
	if (!colon || colon == text || !stage_spec_is_function(colon + 1))
		return failure(reterr, LEAT_CANNOT_START, -EINVAL,
		    "stage 'py:%s': write py:MODULE:FUNCTION", text);
	return stage_spec_function(
	    STAGE_PYTHON_MODULE, text, (size_t)(colon - text), colon + 1, spec);
}

/*
 * FILE.EXT:FUNC, if the text is one: without a space, or naming a file that exists.
 * Returns 1 if it is, 0 if not, or -errno.
 */
static int stage_spec_file(const char *text, struct stage_spec *spec)
{
	const char *colon = strrchr(text, ':');
	if (!colon || colon == text || !stage_spec_is_function(colon + 1))
		return 0;
	char *path = strndup(text, (size_t)(colon - text));
	if (!path)
		return -ENOMEM;
	enum stage_kind kind = stage_spec_has_suffix(path, ".py") ? STAGE_PYTHON_FILE : STAGE_C;
	bool known = kind == STAGE_PYTHON_FILE || stage_spec_has_suffix(path, ".c") ||
		     stage_spec_has_suffix(path, ".so");
	int r = 0;
	if (known && (!stage_spec_has_space(text) || access(path, F_OK) == 0))
		r = stage_spec_function(kind, path, strlen(path), colon + 1, spec);
	else
		known = false;
	free(path);
	return r < 0 ? r : known;
}

/*
 * What looks like a function's name but names no file, as mul:mul does, would be a command
 * that nobody has. Returns 0 if it is not such, else -EINVAL with the error written.
 */
static int stage_spec_check_function(const char *text, struct leat_error *reterr)
{
	static const char *const suffixes[] = {".py", ".c", ".so"};
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;
	if (size == 0 || text[size - 1] == ':' || stage_spec_has_space(text))
		return 0;
	bool source = false;
	char *path = NULL;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t tail = strlen(suffixes[i]);
		source |= size > tail && memcmp(colon - tail, suffixes[i], tail) == 0;
	}
	if (source && colon[1] == '\0')
		return failure(reterr, LEAT_CANNOT_START, -EINVAL,
		    "stage '%s': name its function, as in %sFUNCTION", text, text);
	if (!stage_spec_is_function(colon + 1) || find_program(text, NULL) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (asprintf(&path, "%.*s%s", (int)size, text, suffixes[i]) < 0)
			return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
		bool is = access(path, F_OK) == 0;
		if (is)
			failure(reterr, LEAT_CANNOT_START, -EINVAL,
			    "stage '%s': did you mean %s%s?", text, path, colon);
		free(path);
		if (is)
			return -EINVAL;
	}
	return 0;
}

static int stage_spec_body(const char *text, struct stage_spec *spec, struct leat_error *reterr)
{
	for (size_t i = 0; i < SPEC_PROTOCOLS; i++) {
		const char *prefix = spec_protocols[i].prefix;
		if (strncmp(text, prefix, strlen(prefix)) == 0)
			return stage_spec_command(
			    spec_protocols[i].kind, text + strlen(prefix), spec, reterr);
	}
	if (strncmp(text, "py:", 3) == 0)
		return stage_spec_module(text + 3, spec, reterr);
	int r = stage_spec_file(text, spec);
	if (r != 0)
		return r < 0 ? r : 0;
	bool source = stage_spec_has_suffix(text, ".py") || stage_spec_has_suffix(text, ".c") ||
		      stage_spec_has_suffix(text, ".so");
	if (source && !stage_spec_has_space(text) && access(text, X_OK) < 0)
		return failure(reterr, LEAT_CANNOT_START, -EINVAL,
		    "stage '%s': name its function, as in %s:FUNCTION", text, text);
	r = stage_spec_check_function(text, reterr);
	return r < 0 ? r : stage_spec_command(STAGE_COMMAND, text, spec, reterr);
}

int stage_spec_parse(const char *text, struct stage_spec *ret_spec, struct leat_error *reterr)
{
	struct stage_spec spec = {0};
	size_t named = stage_spec_name_size(text);
	if (named) {
		spec.named = true;
		spec.name = strndup(text, named);
		text += named + 1;
		if (!spec.name)
			return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
	}
	int r = stage_spec_body(text, &spec, reterr);
	if (r == -ENOMEM)
		failure(reterr, LEAT_STOPPED, r, "out of memory");
	if (r == 0 && (strlen(spec.name) >= sizeof(((struct region_stage *)0)->name) ||
			  strlen(spec.target) >= sizeof(((struct region_stage *)0)->target) ||
			  (spec.function && strlen(spec.function) >=
						sizeof(((struct region_stage *)0)->function))))
		r = failure(
		    reterr, LEAT_CANNOT_START, -ENAMETOOLONG, "stage '%.60s...': too long", text);
	if (r < 0)
		stage_spec_free(&spec);
	else
		*ret_spec = spec;
	return r;
}

void stage_spec_rename(struct stage_spec *spec, char *name)
{
	free(spec->name);
	spec->name = name;
	size_t size = strlen(name);
	char text[sizeof(((struct region_stage *)0)->name) + 1];
	/* A function may be called what no NAME= can be. */
	snprintf(text, sizeof(text), "%s=", name);
	spec->named = stage_spec_name_size(text) == size;
}

void stage_spec_free(struct stage_spec *spec)
{
	/* What was compiled may be in a folder of this process's own. */
	if (spec->object && stage_spec_has_suffix(spec->target, ".c"))
		cache_folder_close(spec->object);
	free(spec->name);
	free(spec->target);
	free(spec->function);
	free(spec->object);
	*spec = (struct stage_spec){0};
}

static int stage_spec_resolve_c(struct stage_spec *spec, struct leat_error *reterr)
{
	if (stage_spec_has_suffix(spec->target, ".so")) {
		/* dlopen looks a bare name up elsewhere. */
		spec->object = realpath(spec->target, NULL);
		return spec->object
			   ? 0
			   : failure(reterr, LEAT_CANNOT_START, -errno, "stage '%s': %s: %s",
				 spec->name, spec->target, strerror(errno));
	}
	char *include_dir = install_paths_include_dir();
	if (!include_dir)
		return failure(reterr, LEAT_STOPPED, -ENOMEM, "out of memory");
	int r = compile_cache_cached(
	    spec->target, spec->name, include_dir, STDERR_FILENO, &spec->object, reterr);
	free(include_dir);
	return r;
}

int stage_spec_resolve(struct stage_spec *spec, struct leat_error *reterr)
{
	if (spec->kind != STAGE_C && spec->kind != STAGE_PYTHON_FILE)
		return 0;
	if (access(spec->target, R_OK) < 0)
		return failure(reterr, LEAT_CANNOT_START, -errno, "stage '%s': %s: %s", spec->name,
		    spec->target, strerror(errno));
	return spec->kind == STAGE_C ? stage_spec_resolve_c(spec, reterr) : 0;
}

char *stage_spec_text(const struct stage_spec *spec)
{
	const char *kind = spec->kind == STAGE_PYTHON_MODULE ? "py:" : "";
	for (size_t i = 0; i < SPEC_PROTOCOLS; i++) {
		if (spec_protocols[i].kind == spec->kind)
			kind = spec_protocols[i].prefix;
	}
	char *text = NULL;
	int n = asprintf(&text, "%s%s%s%s%s%s", spec->named ? spec->name : "",
	    spec->named ? "=" : "", kind, spec->target, spec->function ? ":" : "",
	    spec->function ? spec->function : "");
	return n < 0 ? NULL : text;
}
