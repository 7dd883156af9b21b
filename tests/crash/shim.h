/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The switchboard of the crash tests' preload shim: a file that every role
 * of a lab maps (MCGATE_SHIM names it), and that tests/crash drives.  The
 * layout is read by tests/crash/shim.py; both change together.
 */
#ifndef SHIM_H
#define SHIM_H

#include <pthread.h>
#include <stdint.h>

#define SHIM_MAGIC 0x6d637368696d3031ULL
#define SHIM_ROLES 16
#define SHIM_GLOB 48

/* Kinds of calls, as bits of shim.kinds. */
enum shim_kind {
	SHIM_OPEN,
	SHIM_WRITE,
	SHIM_CLOSE,
	SHIM_FSYNC, /* of a folder or file */
	SHIM_FDATASYNC,
	SHIM_RENAME,
	SHIM_LINK,
	SHIM_UNLINK,
	SHIM_TRUNCATE,
	SHIM_RANGE, /* sync_file_range */
	SHIM_SEND, /* sendmsg, send, write and writev on sockets */
	SHIM_RECV,
	SHIM_FCNTL,
	SHIM_MKDIR,
	SHIM_KINDS
};

enum shim_action {
	SHIM_COUNT, /* let everything pass */
	SHIM_KILL, /* SIGKILL the caller before the call */
	SHIM_CUT, /* SIGKILL the whole process group before the call */
	SHIM_FAIL, /* the call fails with err */
	SHIM_SHORT /* a write takes half of what it is given */
};

/* Which call it acts on: the n-th that counts. */
struct shim_point {
	uint32_t n; /* from 1; 0: none */
	uint32_t kinds; /* as bits: which calls count */
	char glob[SHIM_GLOB]; /* "" or what the call's path must match */
};

struct shim {
	uint64_t magic;
	uint32_t armed;
	uint32_t action;
	uint32_t role; /* enum role of lib/core/proto.h */
	uint32_t repeat; /* SHIM_FAIL: and at so many after it */
	int32_t err;
	uint32_t hits; /* times it acted */
	uint32_t hit_kind;
	uint32_t trace; /* write the log of MCGATE_SHIM_LOG */
	uint32_t count; /* calls so far that counted for point */
	int32_t dead; /* pid that was killed: its threads count no more */
	int64_t space; /* bytes the spool may still take, < 0: no limit */
	struct shim_point point;
	struct shim_point next; /* becomes point after the first */
	uint32_t next_action;
	uint32_t unused;
	/* All calls while armed, of each role by kind. */
	uint32_t tally[SHIM_ROLES][SHIM_KINDS];
	uint64_t snapshot; /* number of the next content snapshot */
	char hit_path[128]; /* object of the call it acted on */
	pthread_mutex_t lock; /* robust, shared: order of the log */
};

#endif
