/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Thin covers over the two libraries.
 */
#include "idn.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>

#include "str.h"

int
idn_domain(const char *domain, char *dst, size_t size, struct err *e)
{
	char *out = NULL;
	int rc = idn2_to_ascii_8z(domain, &out, IDN2_NONTRANSITIONAL);
	bool fits = rc == IDN2_OK && str_copy(dst, size, out);

	if (rc != IDN2_OK)
		(void)err_set(e, "no international domain name: %s",
			      idn2_strerror(rc));
	else if (!fits)
		(void)err_set(e, "the domain is too long");
	if (out != NULL)
		idn2_free(out);
	if (!fits)
		return -1;
	str_lower(dst);
	return 0;
}

int
idn_lower(const char *text, char *dst, size_t size, struct err *e)
{
	size_t len = 0;
	uint8_t *out = u8_tolower((const uint8_t *)text, strlen(text), NULL,
				  UNINORM_NFC, NULL, &len);
	bool fits = out != NULL && len < size;

	if (fits) {
		memcpy(dst, out, len);
		dst[len] = '\0';
	}
	if (out == NULL)
		(void)err_set(e, "not valid UTF-8");
	else if (!fits)
		(void)err_set(e, "too long in lower case");
	free(out);
	return fits ? 0 : -1;
}
