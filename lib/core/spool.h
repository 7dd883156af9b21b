/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The layout of the spool, and reading it.  Only the queue role writes
 * it; mcctl reads it while mcd is stopped or beside it.
 *
 *   body/XX/ID               written once, never moved; its first envelope
 *                            is its trailer (trailer.h)
 *   STATE/XX/NAME            envelopes; NAME is ID or ID.N.  The first is
 *                            a second name of the body's file
 *   STATE/XX/.NAME.tmp       being written
 *   ledger/YYYYMMDDHH        events, UTC
 *   key                      what trailers are sealed with
 *   lock                     held (flock) by the queue role
 *
 * XX is a function of the ID's time, so that a batch of commits touches
 * few folders and folders still fill evenly.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdint.h>

#include "arena.h"
#include "envelope.h"
#include "err.h"
#include "trailer.h"

#define SPOOL_FOLDERS 64 /* "00".."3f" */
#define SPOOL_PATH_SIZE 96

/*
 * 52 bits of microseconds since 1970, 12 of node, 16 of sequence, as 16
 * characters of lower-case Crockford base 32: they sort by time.
 */
struct id_parts {
	int64_t wall_us;
	unsigned node;
	unsigned sequence;
};
void id_make(const struct id_parts *parts, char dst[ENVELOPE_ID_LEN + 1]);
/* -1 when id is no envelope name; it may have .N behind. */
int id_parse(const char *id, struct id_parts *out);

/*
 * Relative paths below the spool; dst holds SPOOL_PATH_SIZE.  name is ID
 * or ID.N, body is ID or ID.c; for any other the path is "", which names
 * no file (ENOENT).
 */
void spool_folder(const char *name, char dst[3]);
void spool_envelope_path(enum state s, const char *name, char *dst);
void spool_envelope_tmp(enum state s, const char *name, char *dst);
void spool_body_path(const char *body, char *dst);

/*
 * Folders that the layout needs, made with mode 0700 where missing.  What
 * holds them is synced each time, as a folder that is there may be of a
 * start that died before its sync.
 */
int spool_make_folders(int spool_fd, struct err *e);

/*
 * The envelope of name in state s.  No such file is ENVELOPE_BAD with
 * e->text "".  ENVELOPE_LATER: it could not be read now (EIO, EMFILE),
 * which says nothing about the envelope.
 */
enum envelope_result spool_read_envelope(int spool_fd, enum state s,
					 const char *name, struct arena *a,
					 struct envelope *env, struct err *e);

/*
 * The envelope in the trailer of an open file, e without the file's name.
 * TRAILER_OK: result says, as above, what became of the envelope.  Whether
 * it is sealed is the caller's question.
 */
struct sealed {
	int fd; /* of the caller, as size */
	uint64_t size;
	struct trailer trailer;
	struct span text; /* of the envelope, in the arena */
	enum envelope_result result;
};
enum trailer_result spool_read_sealed(struct sealed *s, struct arena *a,
				      struct envelope *env, struct err *e);

/*
 * Calls fn for every envelope file of a state, sorted within a folder; fn
 * may rename and unlink.  Whatever else is there (.NAME.tmp, names that
 * are none, envelopes in the wrong folder) is given with is_stray set and
 * as "XX/FILE".  Returns 0, what fn returned if not 0, or -1 when a folder
 * cannot be read.
 */
typedef int spool_scan_fn(void *arg, enum state s, const char *name,
			  int is_stray);
int spool_scan(int spool_fd, enum state s, spool_scan_fn *fn, void *arg,
	       struct err *e);
/* The same for the files of body/. */
typedef int spool_body_fn(void *arg, const char *body, int is_stray);
int spool_scan_bodies(int spool_fd, spool_body_fn *fn, void *arg,
		      struct err *e);

#endif
