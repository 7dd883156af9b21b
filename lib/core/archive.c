/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Headers and manifest of a backup.
 */
#include "archive.h"

#include <string.h>

#include "str.h"

#define SUM_AT 148
#define SUM_LEN 8
#define MAGIC_AT 257
#define MAGIC "ustar"
#define FORMAT "mcgate-backup 1"

size_t
archive_padding(int64_t size)
{
	return (size_t)((ARCHIVE_BLOCK - size % ARCHIVE_BLOCK) % ARCHIVE_BLOCK);
}

/* The sum of all bytes, with blanks where it stands itself. */
static unsigned
sum_of(const char *block)
{
	unsigned sum = 0;

	for (int i = 0; i < ARCHIVE_BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_LEN
			       ? ' '
			       : (unsigned char)block[i];
	return sum;
}

void
archive_header(char block[ARCHIVE_BLOCK], const char *name, int64_t size,
	       int64_t mtime_s)
{
	memset(block, 0, ARCHIVE_BLOCK);
	str_copy(block, ARCHIVE_NAME_SIZE, name);
	str_fmt(block + 100, 8, "%07o", 0600);
	str_fmt(block + 108, 8, "%07o", 0);
	str_fmt(block + 116, 8, "%07o", 0);
	str_fmt(block + 124, 12, "%011llo", (unsigned long long)size);
	str_fmt(block + 136, 12, "%011llo", (unsigned long long)mtime_s);
	block[156] = '0';
	memcpy(block + MAGIC_AT,
	       MAGIC "\0"
		     "00",
	       8);
	str_fmt(block + SUM_AT, 7, "%06o", sum_of(block));
	block[SUM_AT + 7] = ' ';
}

/* Octal digits that end with NUL or blank. */
static int
read_octal(const char *p, size_t len, int64_t *out)
{
	size_t i = 0;

	*out = 0;
	while (i < len && p[i] >= '0' && p[i] <= '7' && *out < ARCHIVE_SIZE_MAX)
		*out = *out * 8 + (p[i++] - '0');
	return i > 0 && i < len && (p[i] == '\0' || p[i] == ' ') ? 0 : -1;
}

/* A file that stays in the folder it is unpacked in. */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!ascii_isalnum((unsigned char)name[i]) &&
		    strchr("._-", name[i]) == NULL)
			return false;
	return true;
}

int
archive_header_read(const char block[ARCHIVE_BLOCK],
		    char name[ARCHIVE_NAME_SIZE], int64_t *size, struct err *e)
{
	static const char zeros[ARCHIVE_BLOCK];
	int64_t sum;

	if (memcmp(block, zeros, ARCHIVE_BLOCK) == 0)
		return 0;
	if (memcmp(block + MAGIC_AT, MAGIC, sizeof(MAGIC) - 1) != 0 ||
	    read_octal(block + SUM_AT, SUM_LEN, &sum) < 0 ||
	    sum != (int64_t)sum_of(block))
		return err_set(e, "not a backup of mcgate, or damaged");
	memcpy(name, block, ARCHIVE_NAME_SIZE);
	name[ARCHIVE_NAME_SIZE - 1] = '\0';
	if (!is_name(name) || block[156] != '0' ||
	    read_octal(block + 124, 12, size) < 0 || *size > ARCHIVE_SIZE_MAX)
		return err_set(e, "holds something that no backup has");
	return 1;
}

void
archive_manifest(const struct archive *a, struct buf *out)
{
	(void)buf_printf(out, FORMAT "\nprogram %s\nnode %lld\ntime %s\n",
			 a->program, (long long)a->node, a->time);
	for (size_t i = 0; i < a->count; i++)
		(void)buf_printf(out, "file %s %lld %lld %s\n",
				 a->files[i].name,
				 (long long)a->files[i].version,
				 (long long)a->files[i].size, a->files[i].sum);
}

/* The next word of a line, up to a blank. */
static bool
next_word(char **at, const char **word)
{
	size_t len = strcspn(*at, " ");

	if (len == 0)
		return false;
	*word = *at;
	*at += len;
	if (**at == ' ')
		*(*at)++ = '\0';
	return true;
}

static bool
is_sum(const char *s)
{
	return strlen(s) == SHA256_HEX - 1 &&
	       strspn(s, "0123456789abcdef") == SHA256_HEX - 1;
}

static int
read_file(char *at, struct archive *a)
{
	const char *name, *version, *size, *sum;
	struct archive_file *f;

	if (a->count == ARCHIVE_FILES_MAX || !next_word(&at, &name) ||
	    !next_word(&at, &version) || !next_word(&at, &size) ||
	    !next_word(&at, &sum) || *at != '\0')
		return -1;
	f = &a->files[a->count];
	if (!is_name(name) || !str_copy(f->name, sizeof(f->name), name) ||
	    str_to_i64(version, &f->version, NULL) < 0 || f->version < 0 ||
	    str_to_i64(size, &f->size, NULL) < 0 || f->size < 0 ||
	    f->size > ARCHIVE_SIZE_MAX || !is_sum(sum))
		return -1;
	str_copy(f->sum, sizeof(f->sum), sum);
	a->count++;
	return 0;
}

/* Lines of a newer mcgate that this one does not know are passed over; a
 * kind that cannot be read otherwise has another first line. */
static int
read_line(char *line, struct archive *a)
{
	const char *key;
	char *at = line;

	if (!next_word(&at, &key))
		return -1;
	if (str_eq(key, "file"))
		return read_file(at, a);
	if (str_eq(key, "program"))
		str_copy(a->program, sizeof(a->program), at);
	else if (str_eq(key, "time"))
		str_copy(a->time, sizeof(a->time), at);
	else if (str_eq(key, "node"))
		return str_to_i64(at, &a->node, NULL);
	return 0;
}

int
archive_manifest_read(struct span text, struct archive *a, struct err *e)
{
	char line[512];
	bool is_first = true;

	memset(a, 0, sizeof(*a));
	while (text.len > 0) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.p) : 0;

		if (end == NULL || len >= sizeof(line) ||
		    memchr(text.p, '\0', len) != NULL)
			return err_set(e, "its manifest is malformed");
		memcpy(line, text.p, len);
		line[len] = '\0';
		text.p += len + 1;
		text.len -= len + 1;
		if (is_first && !str_eq(line, FORMAT))
			return err_set(e,
				       "not a backup that this mcgate "
				       "reads: \"%.40s\"",
				       line);
		if (!is_first && read_line(line, a) < 0)
			return err_set(e, "its manifest is malformed");
		is_first = false;
	}
	if (a->count == 0)
		return err_set(e, "its manifest names no file");
	return 0;
}
