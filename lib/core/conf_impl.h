/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files that walk a parsed mcd.conf share: conf.c the table's
 * rows, conf_list.c the lists of groups.  For nobody else.
 */
#ifndef CONF_IMPL_H
#define CONF_IMPL_H

#include <libconfig.h>

#include "conf.h"

/* What a whole read needs at hand. */
struct conf_reader {
	struct conf *conf;
	const char *path;
	struct err *e;
};

/* "PATH:LINE: ..." into r->e, -1. */
int conf_wrong(const struct conf_reader *r, const config_setting_t *s,
	       const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *conf_type_name(int type);
/* The text of a string setting that is fit to be kept, NULL with r->e. */
const char *conf_text(const struct conf_reader *r, const config_setting_t *s,
		      const char *key);

int conf_read_listeners(const struct conf_reader *r, config_setting_t *s);
int conf_read_certificates(const struct conf_reader *r, config_setting_t *s);
/* What listeners need of other settings, when all are read. */
int conf_check_listeners(const struct conf_reader *r);
void conf_free_lists(struct conf *conf);

#endif
