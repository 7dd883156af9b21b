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
	SHIM_KINDS
};

enum shim_action {
	SHIM_COUNT, /* let everything pass */
	SHIM_KILL, /* SIGKILL the caller before the call */
	SHIM_CUT, /* SIGKILL the whole process group before the call */
	SHIM_FAIL /* the call fails with err */
};

struct shim {
	uint64_t magic;
	uint32_t armed;
	uint32_t action;
	uint32_t role; /* enum role of lib/core/proto.h */
	uint32_t kinds; /* which calls count */
	uint32_t target; /* acts at this count, from 1; 0: never */
	uint32_t repeat; /* SHIM_FAIL: and at so many after it */
	int32_t err;
	uint32_t hits; /* times it acted */
	uint32_t hit_kind;
	uint32_t trace; /* write the log of MCGATE_SHIM_LOG */
	int64_t space; /* bytes the spool may still take, < 0: no limit */
	uint32_t count[SHIM_ROLES]; /* counted calls while armed */
	uint64_t snapshot; /* number of the next content snapshot */
	char hit_path[128]; /* object of the call it acted on */
	pthread_mutex_t lock; /* robust, shared: order of the log */
};

#endif
