/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * DMARC records of strangers.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dmarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dmarc_record r = { .pct = -1 };

	if (dmarc_record_read((struct span){ (const char *)data, size }, &r) !=
	    0)
		return 0;
	if (r.pct < 0 || r.pct > 100 || (unsigned)r.p > DMARC_DO_REJECT ||
	    (unsigned)r.sp > DMARC_DO_REJECT)
		abort();
	return 0;
}
