/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Headers and manifest of a backup, and all that none may have.
 */
#include "archive.h"

#include <string.h>

#include "check.h"
#include "str.h"

static struct err e;

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
check_headers(void)
{
	char block[ARCHIVE_BLOCK], name[ARCHIVE_NAME_SIZE];
	int64_t size;

	archive_header(block, "settings.db", ARCHIVE_SIZE_MAX, 1700000000);
	CHECK_INT(archive_header_read(block, name, &size, &e), 1, "a header");
	CHECK_STR(name, "settings.db", "its name");
	CHECK(size == ARCHIVE_SIZE_MAX, "its size");
	CHECK_INT((int)archive_padding(0), 0, "nothing fills no block");
	CHECK_INT((int)archive_padding(1), 511, "a byte fills one");
	CHECK_INT((int)archive_padding(512), 0, "512 as well");
	block[0] ^= 1;
	CHECK_INT(archive_header_read(block, name, &size, &e), -1,
		  "a changed byte is found");
	memset(block, 0, sizeof(block));
	CHECK_INT(archive_header_read(block, name, &size, &e), 0, "the end");
	archive_header(block, "../x", 1, 0);
	CHECK_INT(archive_header_read(block, name, &size, &e), -1,
		  "no name leads out");
	archive_header(block, ".x", 1, 0);
	CHECK_INT(archive_header_read(block, name, &size, &e), -1,
		  "nor is one hidden");
}

static int
reads(const char *text)
{
	struct archive a;

	return archive_manifest_read(span_of(text), &a, &e);
}

static void
check_manifests(void)
{
	static const char good[] = "mcgate-backup 1\nprogram 0.1.0\nnode 7\n"
				   "time now\nfile a.db 1 22 " SUM "\n";
	struct archive a;
	struct buf b = { 0 };

	CHECK_INT(archive_manifest_read(span_of(good), &a, &e), 0, "one");
	CHECK_STR(a.files[0].name, "a.db", "has a file");
	CHECK(a.files[0].size == 22 && a.node == 7, "with its numbers");
	archive_manifest(&a, &b);
	CHECK_STR(buf_str(&b), good, "and is written as it was read");
	buf_release(&b);
	CHECK_INT(reads("mcgate-backup 1\nnew x\nfile a 1 2 " SUM "\n"), 0,
		  "a line that is not known");
	CHECK_INT(reads(""), -1, "nothing");
	CHECK_INT(reads("mcgate-backup 1\n"), -1, "no file");
	CHECK_INT(reads("mcgate-backup 2\nfile a 1 2 " SUM "\n"), -1,
		  "another kind");
	CHECK_INT(reads("mcgate-backup 1\nfile a 1 2 " SUM), -1,
		  "a line without an end");
	CHECK_INT(reads("mcgate-backup 1\nfile a 1 2 xyz\n"), -1, "no sum");
	CHECK_INT(reads("mcgate-backup 1\nfile a 1 -2 " SUM "\n"), -1,
		  "a size below nothing");
	CHECK_INT(reads("mcgate-backup 1\nfile a/b 1 2 " SUM "\n"), -1,
		  "a folder");
	CHECK_INT(reads("mcgate-backup 1\nfile a 1 2 " SUM " x\n"), -1,
		  "a word too many");
}

int
main(void)
{
	check_headers();
	check_manifests();
	return check_done();
}
