/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The spool as its keeper holds it: the lock, new IDs, free space, and
 * bodies.  What others may read stands in spool.h.
 */
#ifndef KEEP_H
#define KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "spool.h"

/* Opens the spool at path, makes missing folders, takes the lock.  e says
 * so when another process holds it. */
int keep_open(const char *path, unsigned node, struct err *e);
void keep_close(void);
int keep_fd(void);
int keep_ledger_fd(void);
/* Makes durable what the folder of this envelope holds. */
int keep_sync_folder(enum state s, const char *name, struct err *e);
/* The same of the folder of this body. */
int keep_sync_body_folder(const char *body, struct err *e);
/* Makes durable whatever was renamed or unlinked in the marked folders of
 * all states, by us or by a process before us. */
int keep_sync_folders(const bool marked[SPOOL_FOLDERS], struct err *e);

/* An ID greater than all before and all seen, whatever the clock does. */
void keep_new_id(char dst[ENVELOPE_ID_LEN + 1]);
/* Later IDs are greater than this name's. */
void keep_seen(const char *name);
/* The ID of a name (ID or ID.N). */
void keep_id_of(const char *name, char dst[ENVELOPE_ID_LEN + 1]);

/* Free bytes of the spool's disk, looked up at most once a second; -1
 * with e when it cannot be told or there are no more inodes. */
int64_t keep_free_bytes(struct err *e);

/* Makes body/XX/ID under a new ID, open for writing; -1 with e. */
int keep_body_create(char id[ENVELOPE_ID_LEN + 1], struct err *e);

enum body_result {
	BODY_OK,
	BODY_LATER, /* cannot be opened now: says nothing about it */
	BODY_BAD /* missing, or not of its size */
};
/* Opens the body of an envelope for reading; behind env->size bytes comes
 * what is not for others. */
enum body_result keep_body_open(const struct envelope *env, int *fd,
				struct err *e);
/* The same without opening it. */
enum body_result keep_body_check(const struct envelope *env, struct err *e);
/* Opens a body of size bytes that has no trailer yet, for reading and
 * writing. */
enum body_result keep_body_unsealed(const char *body, uint64_t size, int *fd,
				    struct err *e);
/* What trailers of this spool are sealed with. */
const struct trailer_key *keep_key(void);
#endif
