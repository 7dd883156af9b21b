/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Headers of ZIP are taken as they stand, one behind the other, whatever the
 * directory at the end says: readers differ in what they believe.
 */
#include "unlzma.h"

#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 10000
#define DICT_MAX (32u << 20)
#define STEP ((size_t)1 << 18)
#define ALONE_HEAD 13
#define ZIP_HEAD 30
#define ZIP_LZMA_HEAD 9
#define METHOD_LZMA 14
#define METHOD_XZ 95

static const char zip_sign[] = "PK\003\004";

static uint32_t
le16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t
le32(const unsigned char *p)
{
	return le16(p) | le16(p + 2) << 16;
}

/* What programs write: 2^n, or 2^n and half of it. */
static int
is_alone(struct span in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	uint32_t dict, top;

	if (in.len <= ALONE_HEAD || p[0] >= 225)
		return 0;
	dict = le32(p + 1);
	for (top = 1u << 12; top < 1u << 30; top <<= 1)
		if (dict == top || dict == top + (top >> 1))
			return le32(p + 9) < 64 || le32(p + 9) == UINT32_MAX;
	return 0;
}

int
unlzma_is_likely(struct span in)
{
	return is_alone(in) ||
	       (in.len > ZIP_HEAD && memmem(in.p, in.len, zip_sign, 4) != NULL);
}

/*
 * Runs a decoder to its end, or until size bytes have come; adds to out, and
 * takes from *left.  Also of a damaged stream what was there is kept.
 */
static int
run(lzma_stream *s, struct span in, uint64_t size, struct buf *out,
    size_t *left)
{
	uint8_t *block = malloc(STEP);
	lzma_ret rc = LZMA_OK;
	uint64_t done = 0;

	if (block == NULL)
		return -1;
	s->next_in = (const uint8_t *)in.p;
	s->avail_in = in.len;
	while (rc == LZMA_OK && done < size) {
		size_t n, room = size - done < STEP ? size - done : STEP;

		if (room > *left)
			break;
		s->next_out = block;
		s->avail_out = room;
		rc = lzma_code(s, LZMA_FINISH);
		n = room - s->avail_out;
		(void)buf_add(out, block, n);
		done += n;
		*left -= n;
		if (n == 0 && s->avail_in == 0)
			break;
	}
	free(block);
	return rc == LZMA_STREAM_END || (rc == LZMA_OK && done == size) ? 0
									: -1;
}

static int
unpack_raw(struct span in, uint64_t size, struct buf *out, size_t *left)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_filter f[2] = { { .id = LZMA_FILTER_LZMA1 },
			     { .id = LZMA_VLI_UNKNOWN } };
	const unsigned char *p = (const unsigned char *)in.p;
	int rc = -1;

	if (in.len <= ZIP_LZMA_HEAD || le16(p + 2) != 5 ||
	    lzma_properties_decode(&f[0], NULL, p + 4, 5) != LZMA_OK)
		return -1;
	if (((lzma_options_lzma *)f[0].options)->dict_size <= DICT_MAX &&
	    lzma_raw_decoder(&s, f) == LZMA_OK)
		rc = run(&s,
			 (struct span){ in.p + ZIP_LZMA_HEAD,
					in.len - ZIP_LZMA_HEAD },
			 size, out, left);
	lzma_end(&s);
	free(f[0].options);
	return rc;
}

static int
unpack_stream(struct span in, int is_xz, struct buf *out, size_t *left)
{
	lzma_stream s = LZMA_STREAM_INIT;
	uint64_t memory = DICT_MAX + (16u << 20);
	lzma_ret rc = is_xz ? lzma_stream_decoder(&s, memory, 0)
			    : lzma_alone_decoder(&s, memory);
	int got = -1;

	if (rc == LZMA_OK)
		got = run(&s, in, UINT64_MAX, out, left);
	lzma_end(&s);
	return got;
}

/* One member; *used is what its header and its data take at least. */
static int
member(struct span in, struct buf *out, size_t *left, size_t *used)
{
	const unsigned char *p = (const unsigned char *)in.p;
	uint32_t method = le16(p + 8), packed = le32(p + 18);
	size_t head = ZIP_HEAD + le16(p + 26) + le16(p + 28);
	uint64_t size = le32(p + 22);
	struct span data;

	*used = 4;
	if ((method != METHOD_LZMA && method != METHOD_XZ) || head >= in.len)
		return 0;
	data = (struct span){ in.p + head, in.len - head };
	/* Sizes that follow the data, or lie in an extra field: to its end. */
	if ((le16(p + 6) & 8) != 0 || packed == 0 || packed == UINT32_MAX ||
	    size == UINT32_MAX)
		size = UINT64_MAX;
	else if (packed < data.len)
		data.len = packed;
	if ((le16(p + 6) & 2) != 0)
		size = UINT64_MAX; /* it has an end of its own */
	*used = head;
	return method == METHOD_XZ ? unpack_stream(data, 1, out, left)
				   : unpack_raw(data, size, out, left);
}

int
unlzma_each(struct span in, size_t max, unlzma_fn *fn, void *arg)
{
	struct buf out = { 0 };
	size_t left = max, used, members = 0;
	int rc = 0, goes_on = 1;
	const char *at;

	if (is_alone(in)) {
		/* That it is damaged proves that it was something else. */
		(void)unpack_stream(in, 0, &out, &left);
		if (out.len > 0)
			goes_on = fn(arg, buf_span(&out));
		rc = left < STEP ? -1 : 0;
	}
	while (goes_on && in.len > ZIP_HEAD &&
	       (at = memmem(in.p, in.len - ZIP_HEAD, zip_sign, 4)) != NULL) {
		in.len -= (size_t)(at - in.p);
		in.p = at;
		if (++members > MEMBERS_MAX) {
			rc = -1;
			break;
		}
		buf_clear(&out);
		if (member(in, &out, &left, &used) != 0)
			rc = -1;
		if (out.len > 0)
			goes_on = fn(arg, buf_span(&out));
		in.p += used;
		in.len -= used;
	}
	buf_release(&out);
	return rc;
}
