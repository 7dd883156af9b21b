/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The value of an Authentication-Results field, and one of ours.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authres.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	char *text = malloc(size + 1);
	const char *properties[] = { "header.d", text, NULL };
	struct buf out = { 0 };
	size_t i;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	/* Who claims to be us says so. */
	if (authres_claims(in, "mx.ours.example") && size < 15)
		abort();
	authres_add(&out, "dkim", "fail", text, properties);
	for (i = 0; i < out.len; i++)
		if (out.data[i] < ' ' || out.data[i] > '~')
			abort();
	buf_release(&out);
	free(text);
	return 0;
}
