/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rows of conf.def as a table: which keys there are, what a value must
 * look like beyond its type, and what to say about a key there is not.
 * Keys are "name", or "group.name" within one of the groups.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_KEY_SIZE 128 /* of "group.name" and NUL */
#define CONF_LISTENERS_FORM \
	"listeners = ( { name = \"smtp\"; address = \"0.0.0.0:25\"; } );"
#define CONF_CERTIFICATE_FORM \
	"{ cert = \"/etc/mcgate/mx.pem\"; key = \"/etc/mcgate/mx.key\"; }"

enum conf_type { CONF_TYPE_STR, CONF_TYPE_INT, CONF_TYPE_BOOL };

struct conf_row {
	const char *key;
	enum conf_type type;
	size_t offset; /* in struct conf */
	const char *text; /* default of a string */
	int64_t dflt, min, max;
	const char *help;
};

extern const struct conf_row conf_rows[];
extern const size_t conf_row_count;

/* NULL when there is none. */
const struct conf_row *conf_row_find(const char *key);
bool conf_is_group(const char *name);
/* NULL when value is right for key, else what was expected. */
const char *conf_expected(const char *key, const char *value);
/* "unknown key ...: expected ..." into dst; group is "" outside of all. */
void conf_unknown(const char *group, const char *name, char *dst, size_t size);

#endif
