/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Walks what libconfig has parsed: each setting finds its row in the table
 * made from conf.def, or is an error.  Nothing is looked up by name, so no
 * key can go unnoticed.
 */
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_impl.h"
#include "conf_keys.h"
#include "conf_scan.h"
#include "config.h"
#include "file.h"
#include "str.h"
#include "xalloc.h"

const char conf_default_path[] = MCGATE_CONF;

static void *
member_of(struct conf *conf, const struct conf_row *row)
{
	return (char *)conf + row->offset;
}

static int
read_str(const struct conf_reader *r, const config_setting_t *s,
	 const struct conf_row *row)
{
	const char *value = conf_text(r, s, row->key);
	const char *expected;
	char shown[80];
	char **to = member_of(r->conf, row);

	if (value == NULL)
		return -1;
	expected = conf_expected(row->key, value);
	if (expected != NULL) {
		str_printable(shown, sizeof(shown), value, strlen(value));
		return conf_wrong(r, s, "%s is \"%s\": expected %s", row->key,
				  shown, expected);
	}
	free(*to);
	*to = xstrdup(value);
	return 0;
}

static int
read_int(const struct conf_reader *r, const config_setting_t *s,
	 const struct conf_row *row)
{
	int type = config_setting_type(s);
	long long value;

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return conf_wrong(
			r, s,
			"%s is %s: expected a whole number from %lld to "
			"%lld",
			row->key, conf_type_name(type), (long long)row->min,
			(long long)row->max);
	value = type == CONFIG_TYPE_INT ? config_setting_get_int(s)
					: config_setting_get_int64(s);
	if (value < row->min || value > row->max)
		return conf_wrong(r, s, "%s is %lld: expected %lld to %lld",
				  row->key, value, (long long)row->min,
				  (long long)row->max);
	*(int64_t *)member_of(r->conf, row) = value;
	return 0;
}

static int
read_bool(const struct conf_reader *r, const config_setting_t *s,
	  const struct conf_row *row)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return conf_wrong(r, s, "%s is %s: expected true or false",
				  row->key,
				  conf_type_name(config_setting_type(s)));
	*(bool *)member_of(r->conf, row) = config_setting_get_bool(s) != 0;
	return 0;
}

/* One setting in group, "" outside of all. */
static int
read_setting(const struct conf_reader *r, const config_setting_t *s,
	     const char *group)
{
	const struct conf_row *row = NULL;
	char key[CONF_KEY_SIZE];
	char text[400];

	if (str_fmt(key, sizeof(key), "%s%s%s", group,
		    *group != '\0' ? "." : "", config_setting_name(s)))
		row = conf_row_find(key);
	if (row == NULL) {
		conf_unknown(group, config_setting_name(s), text, sizeof(text));
		return conf_wrong(r, s, "%s", text);
	}
	switch (row->type) {
	case CONF_TYPE_STR:
		return read_str(r, s, row);
	case CONF_TYPE_INT:
		return read_int(r, s, row);
	default:
		return read_bool(r, s, row);
	}
}

static int
read_group(const struct conf_reader *r, const config_setting_t *s)
{
	const char *group = config_setting_name(s);
	int i;

	if (config_setting_type(s) != CONFIG_TYPE_GROUP)
		return conf_wrong(r, s, "%s is %s: expected %s = { ... };",
				  group, conf_type_name(config_setting_type(s)),
				  group);
	for (i = 0; i < config_setting_length(s); i++)
		if (read_setting(r, config_setting_get_elem(s, (unsigned)i),
				 group) == -1)
			return -1;
	return 0;
}

static int
read_root(const struct conf_reader *r, const config_setting_t *root)
{
	config_setting_t *s;
	const char *name;
	int i, rc = 0;

	for (i = 0; rc == 0 && i < config_setting_length(root); i++) {
		s = config_setting_get_elem(root, (unsigned)i);
		name = config_setting_name(s);
		if (str_eq(name, "listeners"))
			rc = conf_read_listeners(r, s);
		else if (str_eq(name, "certificates"))
			rc = conf_read_certificates(r, s);
		else if (conf_is_group(name))
			rc = read_group(r, s);
		else
			rc = read_setting(r, s, "");
	}
	return rc;
}

static void
set_defaults(struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf_row_count; i++) {
		if (conf_rows[i].type == CONF_TYPE_STR)
			*(char **)member_of(conf, &conf_rows[i]) =
				xstrdup(conf_rows[i].text);
		else if (conf_rows[i].type == CONF_TYPE_INT)
			*(int64_t *)member_of(conf, &conf_rows[i]) =
				conf_rows[i].dflt;
		else
			*(bool *)member_of(conf, &conf_rows[i]) =
				conf_rows[i].dflt != 0;
	}
}

/* text has passed conf_scan(). */
static int
parse_scanned(const struct conf_reader *r, const char *text)
{
	config_t lib;
	int rc;

	config_init(&lib);
	if (config_read_string(&lib, text) != CONFIG_TRUE) {
		rc = err_set(r->e,
			     "%s:%d: %s: expected lines such as key = value;",
			     r->path, config_error_line(&lib),
			     config_error_text(&lib) != NULL
				     ? config_error_text(&lib)
				     : "cannot be read");
	} else {
		rc = read_root(r, config_root_setting(&lib));
	}
	config_destroy(&lib);
	return rc;
}

int
conf_parse(struct span text, const char *path, struct conf *conf, struct err *e)
{
	struct conf_reader r = { conf, path, e };
	char *copy;
	int rc;

	memset(conf, 0, sizeof(*conf));
	if (text.len > CONF_FILE_MAX)
		return err_set(e, "%s:1: too large: expected at most %d bytes",
			       path, CONF_FILE_MAX);
	if (conf_scan(text, path, e) == -1)
		return -1;
	set_defaults(conf);
	conf->path = xstrdup(path);
	/* libconfig wants a line's end behind a last comment. */
	copy = xmalloc(text.len + 2);
	memcpy(copy, text.len > 0 ? text.p : "", text.len);
	memcpy(copy + text.len, "\n", 2);
	rc = parse_scanned(&r, copy);
	free(copy);
	if (rc == 0 && conf->listener_count == 0)
		rc = err_set(e, "%s:%d: no listeners: expected %s", path,
			     conf_scan_lines(text), CONF_LISTENERS_FORM);
	if (rc == 0)
		rc = conf_check_listeners(&r);
	if (rc == -1)
		conf_release(conf);
	return rc;
}

int
conf_read_fd(int fd, const char *path, struct conf *conf, struct err *e)
{
	struct buf b = { .limit = CONF_FILE_MAX + 2 };
	struct stat st;
	ssize_t n;
	char *to;
	int rc;

	memset(conf, 0, sizeof(*conf));
	if (fstat(fd, &st) == -1)
		return err_sys(e, "%s: stat", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: not a file: expected a regular one",
			       path);
	do {
		/* One byte more than allowed, for conf_parse() to see. */
		to = buf_reserve(&b, CONF_FILE_MAX + 1 - b.len);
		n = pread(fd, to, CONF_FILE_MAX + 1 - b.len, (off_t)b.len);
		if (n > 0)
			buf_commit(&b, (size_t)n);
	} while ((n == -1 && errno == EINTR) ||
		 (n > 0 && b.len <= CONF_FILE_MAX));
	if (n == -1)
		rc = err_sys(e, "%s: read", path);
	else
		rc = conf_parse(buf_span(&b), path, conf, e);
	buf_release(&b);
	return rc;
}

int
conf_read(const char *path, struct conf *conf, struct err *e)
{
	int fd, rc;

	memset(conf, 0, sizeof(*conf));
	/* A pipe in its place must not block. */
	fd = file_open(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd == -1)
		return err_sys(e, "%s: open", path);
	rc = conf_read_fd(fd, path, conf, e);
	file_shut(&fd);
	return rc;
}

void
conf_release(struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf_row_count; i++)
		if (conf_rows[i].type == CONF_TYPE_STR)
			free(*(char **)member_of(conf, &conf_rows[i]));
	conf_free_lists(conf);
	free(conf->path);
	memset(conf, 0, sizeof(*conf));
}
