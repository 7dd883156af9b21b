/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the look at directories of ZIP archives: it reads nothing but what
 * it was given, and a larger limit never makes a member too large.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zip_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	enum zip_shape small = zip_shape(in, 100);
	enum zip_shape large = zip_shape(in, 1u << 20);

	if (large == ZIP_LARGE && small != ZIP_LARGE)
		abort();
	if ((small == ZIP_NONE) != (size < 4 || memcmp(data, "PK\3\4", 4) != 0))
		abort();
	return 0;
}
