/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What backup and restore share: which databases, and a folder for the
 * time it takes.
 */
#ifndef BACKUP_H
#define BACKUP_H

#include <stdbool.h>

#include "archive.h"
#include "command.h"

struct backup_db {
	const char *name;
	int64_t version; /* the newest that is known */
	/* Made again by mcd: no loss when it is left out. */
	bool is_derived;
};

extern const struct backup_db backup_dbs[];
extern const size_t backup_db_count;

/* A folder below the databases, that only its owner may look into. */
struct backup_room {
	char dir[1024];
};
int backup_room_make(struct ctx *c, struct backup_room *r);
/* With the databases in it. */
void backup_room_remove(struct backup_room *r);
void backup_path(const char *dir, const char *name, char *dst, size_t size);
/* The checksum of a file, and its size. */
int backup_sum(const char *path, struct archive_file *f, struct err *e);

#endif
