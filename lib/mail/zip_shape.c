/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The directory lies at the end and is found from there, so that whatever
 * stands before or behind an archive is no damage.
 */
#include "zip_shape.h"

#include <stdbool.h>
#include <string.h>

#define LOCAL "PK\3\4"
#define ENTRY "PK\1\2"
#define END "PK\5\6"

enum {
	SIGNATURE_LEN = 4,
	END_LEN = 22,
	ENTRY_LEN = 46,
	EXTRA_HEAD = 4,
	ZIP64_ID = 1
};

static uint64_t
number(const char *p, int bytes)
{
	uint64_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | (unsigned char)p[bytes];
	return n;
}

static bool
is_signed(struct span in, const char *signature)
{
	return in.len >= SIGNATURE_LEN &&
	       memcmp(in.p, signature, SIGNATURE_LEN) == 0;
}

static struct span
behind(struct span in, size_t skip)
{
	return (struct span){ in.p + skip, in.len - skip };
}

/* Of a member whose size does not fit into 32 bits (4.5.3). */
static uint64_t
size64(struct span extra, uint64_t size)
{
	while (extra.len >= EXTRA_HEAD) {
		uint64_t len = number(extra.p + 2, 2);

		if (len > extra.len - EXTRA_HEAD)
			break;
		if (number(extra.p, 2) == ZIP64_ID && len >= 8)
			return number(extra.p + EXTRA_HEAD, 8);
		extra = behind(extra, EXTRA_HEAD + (size_t)len);
	}
	return size;
}

/* The entries of a directory, which is all of in. */
static enum zip_shape
entries(struct span in, uint64_t member_max)
{
	enum zip_shape shape = ZIP_WHOLE;

	while (is_signed(in, ENTRY) && in.len >= ENTRY_LEN) {
		uint64_t size = number(in.p + 24, 4);
		size_t name = (size_t)number(in.p + 28, 2);
		size_t extra = (size_t)number(in.p + 30, 2);
		size_t comment = (size_t)number(in.p + 32, 2);

		if (name + extra + comment > in.len - ENTRY_LEN)
			return ZIP_CUT;
		if (size == UINT32_MAX)
			size = size64(
				(struct span){ in.p + ENTRY_LEN + name, extra },
				size);
		if (size > member_max)
			shape = ZIP_LARGE;
		in = behind(in, ENTRY_LEN + name + extra + comment);
	}
	return is_signed(in, ENTRY) ? ZIP_CUT : shape;
}

/* The directory that an end of one at that place tells of. */
static enum zip_shape
directory(struct span in, size_t end, uint64_t member_max)
{
	uint64_t size = number(in.p + end + 12, 4);
	uint64_t count = number(in.p + end + 10, 2);
	struct span all;

	if (count == 0) /* though there is a member: what others see? */
		return ZIP_CUT;
	if (size == UINT32_MAX) /* what says more lies between (4.3.14) */
		return ZIP_LARGE;
	if (size > end)
		return ZIP_CUT;
	all = (struct span){ in.p + end - size, (size_t)size };
	/* Of ZIP64 two records lie between it and its end. */
	if (!is_signed(all, ENTRY)) {
		uint64_t at = number(in.p + end + 16, 4);

		if (at > end || size > end - at)
			return ZIP_CUT;
		all.p = in.p + at;
	}
	return is_signed(all, ENTRY) ? entries(all, member_max) : ZIP_CUT;
}

enum zip_shape
zip_shape(struct span in, uint64_t member_max)
{
	size_t end;

	if (!is_signed(in, LOCAL))
		return ZIP_NONE;
	if (in.len < END_LEN)
		return ZIP_CUT;
	for (end = in.len - END_LEN; end > 0; end--)
		if (in.p[end] == 'P' &&
		    memcmp(in.p + end, END, SIGNATURE_LEN) == 0)
			return directory(in, end, member_max);
	return ZIP_CUT;
}
