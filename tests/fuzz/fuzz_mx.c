/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * MX records as lookup passes them on: whatever they hold, only host names
 * in order of preference come out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "mx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mx m;
	size_t i;

	mx_read_records(&m, (struct span){ (const char *)data, size });
	if (m.count > MX_MAX || (m.status == MX_OK) != (m.count > 0))
		abort();
	for (i = 0; i < m.count; i++) {
		if (!address_is_domain(m.hosts[i].name) ||
		    m.hosts[i].preference > 65535)
			abort();
		if (i > 0 && m.hosts[i].preference < m.hosts[i - 1].preference)
			abort();
	}
	return 0;
}
