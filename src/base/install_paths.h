/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where this program's parts are: beside it in a build folder, or where they were
 * installed, relative to the program so that an installation can be moved.
 * Each returns a string to free(), or NULL when out of memory. Threads: any.
 */
#ifndef INSTALL_PATHS_H
#define INSTALL_PATHS_H

/* The running program itself. */
char *install_paths_program(void);

/* The folder that holds leat.h. */
char *install_paths_include_dir(void);

/* The folder of the Python package `leat`, which Python can run. */
char *install_paths_python_dir(void);

/* The shared library that Python loads. */
char *install_paths_library(void);

#endif
