/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libpsl, one list for the life of the process.
 */
#include "psl.h"

#include <libpsl.h>

#include "str.h"

static const psl_ctx_t *list;

void
psl_open(void)
{
	if (list == NULL)
		list = psl_latest(psl_dist_filename());
	if (list == NULL)
		list = psl_builtin();
}

bool
psl_org_domain(const char *name, char dst[DNS_NAME_SIZE])
{
	const char *found;
	char lower[DNS_NAME_SIZE];

	psl_open();
	if (!str_copy(lower, sizeof(lower), name)) {
		dst[0] = '\0';
		return false;
	}
	str_lower(lower);
	found = list != NULL ? psl_registrable_domain(list, lower) : NULL;
	(void)str_copy(dst, DNS_NAME_SIZE, found != NULL ? found : lower);
	return found != NULL;
}
