/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the frame decoder, and the record inside a ctl_row.  A frame that
 * is taken encodes to the very bytes it came from; JSON is always UTF-8
 * without controls.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "proto.h"
#include "record.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_json(struct span in)
{
	static struct value values[RECORD_FIELDS_MAX];
	struct buf out = { .limit = 0 };
	size_t count, i;

	if (record_read(in, values, &count, NULL) != 0)
		return;
	if (record_json(values, count, &out) != 0)
		abort();
	if (!str_is_utf8(out.data, out.len))
		abort();
	for (i = 0; i < out.len; i++) {
		if ((unsigned char)out.data[i] < ' ')
			abort();
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(max_align_t) unsigned char body[FRAME_BODY_MAX];
	struct span in = { (const char *)data, size };
	struct buf out = { .limit = 0 };
	struct frame f;
	struct err e;

	check_json(in);
	if (frame_decode(in, body, &f, &e) != 0)
		return 0;
	if (frame_encode(f.type, f.token, f.body, &out, &e) != 0 ||
	    out.len != size || memcmp(out.data, data, size) != 0)
		abort();
	if (f.type == FRAME_ctl_row)
		check_json(FRAME_BODY(&f, ctl_row)->record);
	buf_release(&out);
	return 0;
}
