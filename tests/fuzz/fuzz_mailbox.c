/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The value of a From field, and a header with From fields.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size }, rest = in;
	char domain[MAILBOX_DOMAIN_SIZE];
	size_t left = in.len;
	enum mailbox_from from;

	while (mailbox_next(&rest, domain)) {
		if (rest.len >= left || strlen(domain) >= sizeof(domain) ||
		    strchr(domain, '@') != NULL)
			abort();
		left = rest.len;
	}
	if (rest.len != 0)
		abort();
	from = mailbox_from(in, domain);
	if ((from == MAILBOX_FROM_ONE) != (domain[0] != '\0') &&
	    from != MAILBOX_FROM_MANY)
		abort();
	return 0;
}
