/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libclamav: engines of signatures, and what they say of bytes in memory.
 * The only file that knows the library's traps: what it cannot scan it
 * calls clean, so every engine is tried with a test virus first.
 */
#ifndef CLAM_H
#define CLAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define CLAM_NAME_SIZE 160

struct clam;

enum clam_verdict {
	CLAM_CLEAN,
	CLAM_FOUND, /* name says what */
	CLAM_ENCRYPTED, /* an archive that cannot be looked into */
	CLAM_LIMITS, /* larger, deeper or slower than is looked at */
	CLAM_FAILED /* could not tell; name says why */
};

struct clam_result {
	enum clam_verdict verdict;
	char name[CLAM_NAME_SIZE]; /* printable */
};

/*
 * An engine without signatures but the test virus.  tmp is a folder that
 * can be written to, now and whenever it scans.  NULL with e.
 */
struct clam *clam_new(const char *tmp, struct err *e);
void clam_free(struct clam *c);
/*
 * Adds the signatures of a folder, file by file in order of their names;
 * "." may be one behind fchdir(2).  Files that cannot be loaded are left
 * out, logged by fn (may be NULL); where tries is set each that is new to
 * this process is tried in a child of its own first.  Returns how many were
 * loaded, -1 when the folder cannot be read.
 */
typedef void clam_warn_fn(const char *text);
int clam_add(struct clam *c, const char *dir, bool tries, clam_warn_fn *fn,
	     struct err *e);
/* Whether a file alone can be loaded, tried in a child of its own; -1 with e
 * why not. */
int clam_try(const char *path, struct err *e);
/* After all were added: -1 when it does not find the test virus. */
int clam_ready(struct clam *c, struct err *e);
unsigned clam_signatures(const struct clam *c); /* but for the test's own */

/*
 * Scans a message or a file, at most time_ms.  is_mail: it is a message,
 * whatever its first field is.
 */
void clam_scan(struct clam *c, struct span in, bool is_mail, int64_t time_ms,
	       struct clam_result *out);
/* Whether it still finds the test virus: a folder that is full or gone
 * makes everything look clean. */
int clam_self_test(struct clam *c, struct err *e);

#endif
