/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lists of mcd.conf: listeners and certificates, a group each.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_impl.h"
#include "conf_keys.h"
#include "str.h"
#include "xalloc.h"

int
conf_wrong(const struct conf_reader *r, const config_setting_t *s,
	   const char *fmt, ...)
{
	struct err text;
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text.text, sizeof(text.text), fmt, ap) < 0)
		text.text[0] = '\0';
	va_end(ap);
	return err_set(r->e, "%s:%d: %s", r->path,
		       (int)config_setting_source_line(s), text.text);
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

const char *
conf_type_name(int type)
{
	switch (type) {
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	case CONFIG_TYPE_LIST:
		return "a list ( )";
	default:
		return "nothing";
	}
}

const char *
conf_text(const struct conf_reader *r, const config_setting_t *s,
	  const char *key)
{
	const char *value;

	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		conf_wrong(r, s, "%s is %s: expected a string in quotes", key,
			   conf_type_name(config_setting_type(s)));
		return NULL;
	}
	value = config_setting_get_string(s);
	if (value == NULL)
		value = "";
	if (has_control(value) || !str_is_utf8(value, strlen(value))) {
		conf_wrong(r, s,
			   "%s holds a control character or is not UTF-8: "
			   "expected one line of text",
			   key);
		return NULL;
	}
	return value;
}

static int
read_listener_name(const struct conf_reader *r, const config_setting_t *s,
		   struct conf_listener *l)
{
	const char *value = conf_text(r, s, "name");
	const char *p = value;
	size_t i;

	if (value == NULL)
		return -1;
	while ((*p >= 'a' && *p <= 'z') || ascii_isdigit(*p) || *p == '-')
		p++;
	if (*p != '\0' || p == value || *value == '-' ||
	    (size_t)(p - value) >= sizeof(l->name))
		return conf_wrong(
			r, s,
			"name of a listener is not fit: expected 1 to "
			"%zu of a-z, 0-9 and -",
			sizeof(l->name) - 1);
	for (i = 0; i < r->conf->listener_count; i++)
		if (str_eq(r->conf->listeners[i].name, value))
			return conf_wrong(
				r, s,
				"two listeners are named \"%s\": expected "
				"a name of its own for each",
				value);
	str_copy(l->name, sizeof(l->name), value);
	return 0;
}

static bool
is_same_endpoint(const struct ip_port *a, const struct ip_port *b)
{
	return a->port == b->port && ip_eq(&a->ip, &b->ip);
}

static int
read_listener_address(const struct conf_reader *r, const config_setting_t *s,
		      struct conf_listener *l)
{
	static const char form[] =
		"expected ADDR:PORT such as \"0.0.0.0:25\" or \"[::]:25\"";
	const char *value = conf_text(r, s, "address");
	const struct conf_listener *other = r->conf->listeners;
	const struct conf_listener *end = other + r->conf->listener_count;
	struct err why;

	if (value == NULL)
		return -1;
	if (ip_port_parse(value, &l->address, &why) == -1)
		return conf_wrong(r, s, "%s: %s", why.text, form);
	if (l->address.port == 0)
		return conf_wrong(r, s, "address is \"%s\", with port 0: %s",
				  value, form);
	for (; other < end; other++)
		if (is_same_endpoint(&other->address, &l->address))
			return conf_wrong(r, s,
					  "address is that of listener \"%s\": "
					  "expected one of its own",
					  other->name);
	return 0;
}

/* The word's place in words, -1 with r->e. */
static int
read_word(const struct conf_reader *r, const config_setting_t *s,
	  const char *key, const char *const words[], const char *expected)
{
	const char *value = conf_text(r, s, key);
	char shown[80];
	int i;

	if (value == NULL)
		return -1;
	for (i = 0; words[i] != NULL; i++)
		if (str_eq(words[i], value))
			return i;
	str_printable(shown, sizeof(shown), value, strlen(value));
	return conf_wrong(r, s, "%s is \"%s\": expected %s", key, shown,
			  expected);
}

static int
read_listener_tls(const struct conf_reader *r, const config_setting_t *s,
		  struct conf_listener *l)
{
	/* In the order of enum conf_tls. */
	static const char *const words[] = { "starttls", "implicit", "none",
					     NULL };
	int i = read_word(r, s, "tls", words,
			  "\"starttls\", \"implicit\" or \"none\"");

	if (i < 0)
		return -1;
	l->tls = (enum conf_tls)i;
	return 0;
}

/* [ "192.0.2.1", "2001:db8::/32" ] */
static int
read_nets(const struct conf_reader *r, const config_setting_t *s,
	  const char *key, struct conf_nets *nets)
{
	static const char form[] = "expected addresses and networks such as "
				   "[ \"192.0.2.1\", \"2001:db8::/32\" ]";
	int type = config_setting_type(s);
	const config_setting_t *elem;
	const char *value;
	struct err why;
	int i, n;

	if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST)
		return conf_wrong(r, s, "%s is %s: %s", key,
				  conf_type_name(type), form);
	n = config_setting_length(s);
	if (n > CONF_NETS_MAX)
		return conf_wrong(r, s,
				  "%s has %d networks: expected at "
				  "most %d",
				  key, n, CONF_NETS_MAX);
	free(nets->net);
	nets->count = 0;
	nets->net = xcalloc((size_t)n + 1, sizeof(*nets->net));
	for (i = 0; i < n; i++) {
		elem = config_setting_get_elem(s, (unsigned)i);
		value = conf_text(r, elem, key);
		if (value == NULL)
			return -1;
		if (ip_net_parse(value, &nets->net[nets->count++], &why) == -1)
			return conf_wrong(r, elem, "%s: %s: %s", key, why.text,
					  form);
	}
	return 0;
}

static int
read_listener_member(const struct conf_reader *r, const config_setting_t *s,
		     struct conf_listener *l)
{
	const char *name = config_setting_name(s);

	if (str_eq(name, "name"))
		return read_listener_name(r, s, l);
	if (str_eq(name, "address"))
		return read_listener_address(r, s, l);
	if (str_eq(name, "tls"))
		return read_listener_tls(r, s, l);
	if (str_eq(name, "proxy_from"))
		return read_nets(r, s, name, &l->proxy_from);
	if (str_eq(name, "xclient_from"))
		return read_nets(r, s, name, &l->xclient_from);
	return conf_wrong(r, s,
			  "unknown key \"%.64s\" of a listener: expected "
			  "name, address, tls, proxy_from or xclient_from",
			  name);
}

static int
read_listener(const struct conf_reader *r, config_setting_t *s)
{
	static const char form[] =
		"expected { name = \"smtp\"; address = \"0.0.0.0:25\"; }";
	struct conf_listener *l;
	int i;

	if (config_setting_type(s) != CONFIG_TYPE_GROUP)
		return conf_wrong(r, s, "listener is %s: %s",
				  conf_type_name(config_setting_type(s)), form);
	l = &r->conf->listeners[r->conf->listener_count];
	for (i = 0; i < config_setting_length(s); i++)
		if (read_listener_member(
			    r, config_setting_get_elem(s, (unsigned)i), l) ==
		    -1)
			return -1;
	if (l->name[0] == '\0' || l->address.ip.family == 0)
		return conf_wrong(r, s, "listener without %s: %s",
				  l->name[0] == '\0' ? "a name" : "an address",
				  form);
	l->line = (int)config_setting_source_line(s);
	r->conf->listener_count++;
	return 0;
}

/* Each group of a list of at most max, by read. */
static int
read_list(const struct conf_reader *r, config_setting_t *s, int max,
	  const char *form,
	  int (*read)(const struct conf_reader *, config_setting_t *))
{
	const char *name = config_setting_name(s);
	int i, n;

	if (config_setting_type(s) != CONFIG_TYPE_LIST)
		return conf_wrong(r, s, "%s is %s: expected a list ( ), %s",
				  name, conf_type_name(config_setting_type(s)),
				  form);
	n = config_setting_length(s);
	if (n > max)
		return conf_wrong(r, s, "%d %s: expected at most %d", n, name,
				  max);
	for (i = 0; i < n; i++)
		if (read(r, config_setting_get_elem(s, (unsigned)i)) == -1)
			return -1;
	return 0;
}

int
conf_read_listeners(const struct conf_reader *r, config_setting_t *s)
{
	return read_list(r, s, CONF_LISTENERS_MAX, CONF_LISTENERS_FORM,
			 read_listener);
}

static int
read_path(const struct conf_reader *r, const config_setting_t *s,
	  const char *key, char **to)
{
	const char *value = conf_text(r, s, key);

	if (value == NULL)
		return -1;
	if (value[0] != '/' || strlen(value) >= PATH_MAX / 2)
		return conf_wrong(r, s,
				  "%s of a certificate is \"%.64s\": "
				  "expected an absolute path",
				  key, value);
	free(*to);
	*to = xstrdup(value);
	return 0;
}

static int
read_certificate(const struct conf_reader *r, config_setting_t *s)
{
	static const char form[] = "expected " CONF_CERTIFICATE_FORM;
	struct conf_certificate *c =
		&r->conf->certificates[r->conf->certificate_count];
	config_setting_t *member;
	const char *name;
	int i, rc = 0;

	if (config_setting_type(s) != CONFIG_TYPE_GROUP)
		return conf_wrong(r, s, "certificate is %s: %s",
				  conf_type_name(config_setting_type(s)), form);
	/* Counted at once: what it holds is released with the rest. */
	r->conf->certificate_count++;
	for (i = 0; rc == 0 && i < config_setting_length(s); i++) {
		member = config_setting_get_elem(s, (unsigned)i);
		name = config_setting_name(member);
		if (str_eq(name, "cert"))
			rc = read_path(r, member, name, &c->cert);
		else if (str_eq(name, "key"))
			rc = read_path(r, member, name, &c->key);
		else
			rc = conf_wrong(r, member,
					"unknown key \"%.64s\" of a "
					"certificate: %s",
					name, form);
	}
	if (rc == 0 && c->cert == NULL)
		rc = conf_wrong(r, s, "certificate without cert: %s", form);
	/* One file may hold both. */
	if (rc == 0 && c->key == NULL)
		c->key = xstrdup(c->cert);
	return rc;
}

int
conf_read_certificates(const struct conf_reader *r, config_setting_t *s)
{
	return read_list(r, s, CONF_CERTIFICATES_MAX,
			 "certificates = ( " CONF_CERTIFICATE_FORM " );",
			 read_certificate);
}

int
conf_check_listeners(const struct conf_reader *r)
{
	const struct conf *conf = r->conf;
	const struct conf_listener *l = conf->listeners;
	const struct conf_listener *end = l + conf->listener_count;

	for (; l < end; l++)
		if (l->tls == CONF_TLS_IMPLICIT && conf->certificate_count == 0)
			return err_set(r->e,
				       "%s:%d: listener \"%s\" has tls = "
				       "\"implicit\" but there is no "
				       "certificate: expected certificates = "
				       "( " CONF_CERTIFICATE_FORM " );",
				       r->path, l->line, l->name);
	return 0;
}

bool
conf_nets_have(const struct conf_nets *nets, const struct ip *ip)
{
	size_t i;

	for (i = 0; i < nets->count; i++)
		if (ip_in_net(ip, &nets->net[i]))
			return true;
	return false;
}

void
conf_free_lists(struct conf *conf)
{
	size_t i;

	/* All: the last may have failed half way. */
	for (i = 0; i < CONF_LISTENERS_MAX; i++) {
		free(conf->listeners[i].proxy_from.net);
		free(conf->listeners[i].xclient_from.net);
	}
	for (i = 0; i < CONF_CERTIFICATES_MAX; i++) {
		free(conf->certificates[i].cert);
		free(conf->certificates[i].key);
	}
}
