/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The file that a backup is: a tar archive (POSIX ustar), which begins
 * with a file MANIFEST that names all others with version, size and
 * checksum.  What is read here comes from outside.
 *
 *   mcgate-backup 1
 *   program 0.1.0
 *   node 7
 *   time 2026-11-25T09:30:00Z
 *   file settings.db VERSION SIZE SHA256
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "sha256.h"

#define ARCHIVE_BLOCK 512
#define ARCHIVE_MANIFEST "MANIFEST"
#define ARCHIVE_MANIFEST_MAX 65536
#define ARCHIVE_FILES_MAX 16
#define ARCHIVE_NAME_SIZE 100
#define ARCHIVE_SIZE_MAX ((INT64_C(1) << 33) - 1) /* of one file: ustar */

struct archive_file {
	char name[ARCHIVE_NAME_SIZE]; /* no folder, no dot in front */
	int64_t version, size;
	char sum[SHA256_HEX];
};

struct archive {
	char program[64], time[64];
	int64_t node;
	struct archive_file files[ARCHIVE_FILES_MAX];
	size_t count;
};

/* Bytes behind a file that fill its last block. */
size_t archive_padding(int64_t size);
/* The block before a file. */
void archive_header(char block[ARCHIVE_BLOCK], const char *name, int64_t size,
		    int64_t mtime_s);
/* 1 a file, 0 the end of the archive (a block of zeros), -1 neither. */
int archive_header_read(const char block[ARCHIVE_BLOCK],
			char name[ARCHIVE_NAME_SIZE], int64_t *size,
			struct err *e);
void archive_manifest(const struct archive *a, struct buf *out);
/* -1 when it is malformed or of a newer kind. */
int archive_manifest_read(struct span text, struct archive *a, struct err *e);

#endif
