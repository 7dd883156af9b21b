/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtp_xclient.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken can stand in a log line, and has no line end. */
static void
check_text(const char *text)
{
	size_t i, len = strlen(text);

	if (!str_is_utf8(text, len))
		abort();
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 32)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct smtp_xclient x;
	struct smtp_fault fault;

	if (smtp_parse_xclient(in, &x, &fault) < 0) {
		if (fault.code != 501 || fault.text.text[0] == '\0')
			abort();
		return 0;
	}
	check_text(x.name);
	check_text(x.helo);
	check_text(x.login);
	if (x.state[XCLIENT_ADDR] == XCLIENT_GIVEN && x.addr.family == 0)
		abort();
	return 0;
}
