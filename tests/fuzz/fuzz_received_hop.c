/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A Received field: an address or none comes out, and the same for each
 * call; what lies behind its end is never looked at.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "received_hop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct received_hop a, b;
	struct span value = { (const char *)data, size };

	received_hop_read(value, &a);
	received_hop_read(value, &b);
	if (memcmp(&a, &b, sizeof(a)) != 0)
		abort();
	if (a.ip.family != 0 && a.ip.family != AF_INET &&
	    a.ip.family != AF_INET6)
		abort();
	return 0;
}
