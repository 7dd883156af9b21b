/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the directory of a ZIP archive says of it (APPNOTE.TXT 4.3): whether
 * all of it is there, and whether a scanner with a limit can see all of its
 * members.  Nothing is unpacked.
 */
#ifndef ZIP_SHAPE_H
#define ZIP_SHAPE_H

#include <stdint.h>

#include "buf.h"

enum zip_shape {
	ZIP_NONE, /* does not begin as a ZIP archive */
	ZIP_WHOLE,
	ZIP_CUT, /* without a directory, or with one that leads nowhere */
	ZIP_LARGE /* a member is, or says that it is, larger than the limit */
};

enum zip_shape zip_shape(struct span in, uint64_t member_max);

#endif
