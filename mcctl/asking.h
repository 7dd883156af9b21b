/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asking a running mcd over its control socket, one command at a time.
 */
#ifndef ASKING_H
#define ASKING_H

#include "conf.h"
#include "err.h"
#include "record.h"

struct asking;

/* NULL: mcd does not run or does not let us (e says which). */
struct asking *asking_open(const struct conf *conf, struct err *e);
void asking_close(struct asking *a);

/* Gets each row of the answer; non-zero stops. */
typedef int asking_row_fn(void *arg, const struct value *values, size_t count,
			  struct span encoded);
/*
 * Runs a command with its pages until the last.  Returns the exit code of
 * sysexits(3) that the answer carries; e says why it is not EX_OK.
 */
int asking_run(struct asking *a, const char *command, const char *arg,
	       asking_row_fn *fn, void *fn_arg, struct err *e);

#endif
