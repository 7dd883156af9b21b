/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A header and a manifest of a backup: what is read is written the same,
 * and no name leads out of the folder.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const char *name)
{
	if (name[0] == '.' || name[0] == '\0' || strchr(name, '/') != NULL)
		abort();
}

static void
check_manifest(const char *data, size_t size)
{
	static struct archive a, back;
	struct buf text = { 0 };

	if (archive_manifest_read((struct span){ data, size }, &a, NULL) < 0)
		return;
	for (size_t i = 0; i < a.count; i++)
		check_name(a.files[i].name);
	archive_manifest(&a, &text);
	if (archive_manifest_read(buf_span(&text), &back, NULL) < 0 ||
	    back.count != a.count)
		abort();
	buf_release(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[ARCHIVE_NAME_SIZE];
	int64_t bytes;

	check_manifest((const char *)data, size);
	if (size >= ARCHIVE_BLOCK &&
	    archive_header_read((const char *)data, name, &bytes, NULL) == 1) {
		check_name(name);
		if (bytes < 0 || bytes > ARCHIVE_SIZE_MAX)
			abort();
	}
	return 0;
}
