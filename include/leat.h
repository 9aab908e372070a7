/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole public interface. A C file that only defines stages needs no more
 * than <leat/stage.h>; this header is for convenience and includes it.
 */
#ifndef LEAT_H
#define LEAT_H

#include <leat/error.h>
#include <leat/pipeline.h>
#include <leat/stage.h>
#include <leat/worker.h>

#endif
