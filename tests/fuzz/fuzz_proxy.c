/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Headers of the PROXY protocol: what is said of all of the input is said
 * of its first bytes as soon as they decide.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct proxy whole, part;
	int want, got = 0;
	struct err e;

	want = proxy_parse(in, &whole, &e);
	if (want < -1 || want > (int)size || want > PROXY_HEADER_MAX)
		abort();
	if (want > 0 && !whole.is_local &&
	    (whole.client.ip.family == 0 || whole.server.ip.family == 0))
		abort();
	if (want == 0 && size >= PROXY_HEADER_MAX)
		abort();
	for (in.len = 0; in.len < size && got == 0;) {
		in.len++;
		got = proxy_parse(in, &part, &e);
	}
	if (got != want)
		abort();
	if (want > 0 && memcmp(&whole, &part, sizeof(whole)) != 0)
		abort();
	return 0;
}
