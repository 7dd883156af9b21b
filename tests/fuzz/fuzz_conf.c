/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcd.conf from any bytes: a file is right and complete, or it is refused
 * with a line of text that names the file, and leaves nothing behind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_keys.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(int is_so)
{
	if (!is_so)
		abort();
}

static void
check_refused(const struct conf *conf, const struct err *e)
{
	static const struct conf none;

	expect(str_has_prefix(e->text, "c:") && ascii_isdigit(e->text[2]));
	expect(strchr(e->text, '\n') == NULL);
	expect(memcmp(conf, &none, sizeof(none)) == 0);
}

static void
check_taken(const struct conf *conf)
{
	const char *text;
	size_t i;

	expect(conf->listener_count >= 1 &&
	       conf->listener_count <= CONF_LISTENERS_MAX);
	expect(conf->workers >= 1 && conf->workers <= 256);
	for (i = 0; i < conf_row_count; i++) {
		if (conf_rows[i].type != CONF_TYPE_STR)
			continue;
		text = *(char *const *)(const void *)((const char *)conf +
						      conf_rows[i].offset);
		expect(text != NULL && str_is_utf8(text, strlen(text)));
		expect(conf_expected(conf_rows[i].key, text) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct conf conf;
	struct err e = { "" };

	if (conf_parse(in, "c", &conf, &e) == 0)
		check_taken(&conf);
	else
		check_refused(&conf, &e);
	conf_release(&conf);
	return 0;
}
