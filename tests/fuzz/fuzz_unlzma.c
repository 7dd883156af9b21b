/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Archives by LZMA: whatever they say, no more comes out than is allowed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "unlzma.h"

#define MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count(void *arg, struct span out)
{
	size_t *all = arg;

	if (out.len == 0)
		abort();
	*all += out.len;
	return *all < MAX / 2;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	size_t all = 0;
	int rc = unlzma_each(in, MAX, count, &all);

	if (all > MAX || (all > 0 && !unlzma_is_likely(in)) || rc > 0)
		abort();
	return 0;
}
