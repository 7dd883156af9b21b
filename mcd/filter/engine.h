/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signatures in a folder that the jail hides, loaded into one engine before
 * workers are forked, who share its memory.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "clam.h"
#include "filter.h"

struct engine {
	const char *what; /* "antivirus": for the log */
	int dir_fd; /* -1: there is no such folder */
	char dir[1024];
	struct clam *clam; /* NULL: it is down, trouble says why */
	struct err trouble;
	struct clam *next; /* loaded, not in use yet */
	int64_t next_stamp, next_newest_s;
	int64_t stamp; /* of the files that are loaded */
	int64_t newest_us; /* wall clock of the newest of them, 0: none */
	int64_t adopted_us; /* wall clock since when they are in use */
	int64_t tested_ms; /* monotonic: when it last found the test virus */
};

#define ENGINE_INIT(name)                    \
	{                                    \
		.what = (name), .dir_fd = -1 \
	}

/* Before the jail: opens the folder; "" or none there is no error. */
void engine_prepare(struct engine *e, const char *dir);
/*
 * In the jail, maybe in a thread; takes as long as it takes.  Each new file
 * is tried alone first, in a process of its own.  -1: it stays as it was.
 */
int engine_load(struct engine *e, struct err *err);
/* What was loaded is in use from now on. */
void engine_adopt(struct engine *e);
void engine_unload(struct engine *e);
/* Whether it is down, or files have come, gone or changed since it was
 * loaded. */
bool engine_is_stale(const struct engine *e);
/* Up, and there is nothing that it could find but the test virus. */
bool engine_is_empty(const struct engine *e);
/*
 * Scans, testing itself every ten minutes; CLAM_FAILED when it is down or
 * out of time.
 */
void engine_scan(struct engine *e, const struct filter_mail *m, struct span in,
		 bool is_mail, struct clam_result *out);

/* The folder for temporary files, and emptying such a one of what a process
 * that was killed has left. */
const char *engine_tmp(void);
void engine_sweep(const char *dir);

#endif
