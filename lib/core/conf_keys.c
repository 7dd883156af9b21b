/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of keys.  A check of a value is a function and a row.
 */
#include "conf_keys.h"

#include <limits.h>
#include <string.h>

#include "address.h"
#include "conf.h"
#include "config.h"
#include "ip.h"
#include "str.h"

#define SOCKET_PATH_SIZE 108 /* of struct sockaddr_un */
#define USER_MAX 32 /* useradd(8) */

/* clang-format off */
const struct conf_row conf_rows[] = {
#define CONF_STR(key, member, dflt, help) \
	{ key, CONF_TYPE_STR, offsetof(struct conf, member), dflt, 0, 0, 0, \
	  help },
#define CONF_INT(key, member, dflt, min, max, help) \
	{ key, CONF_TYPE_INT, offsetof(struct conf, member), NULL, dflt, \
	  min, max, help },
#define CONF_BOOL(key, member, dflt, help) \
	{ key, CONF_TYPE_BOOL, offsetof(struct conf, member), NULL, dflt, \
	  0, 1, help },
#include "conf.def"
#undef CONF_STR
#undef CONF_INT
#undef CONF_BOOL
};
/* clang-format on */

#define ROWS (sizeof(conf_rows) / sizeof(conf_rows[0]))

const size_t conf_row_count = ROWS;

/* NULL when value is right, else what was expected. */
typedef const char *check_fn(const char *value);

static const char *
check_hostname(const char *value)
{
	if (*value == '\0' || address_is_domain(value))
		return NULL;
	return "a host name such as mx1.example.org";
}

static const char *
check_path(const char *value)
{
	if (value[0] == '/' && strlen(value) < PATH_MAX / 2)
		return NULL;
	return "an absolute path";
}

static const char *
check_user(const char *value)
{
	const char *p = value;

	while (ascii_isalnum(*p) || *p == '_' || *p == '.' ||
	       (*p == '-' && p > value))
		p++;
	if (*p == '\0' && p > value && p - value <= USER_MAX)
		return NULL;
	return "the name of a user";
}

static const char *
check_target(const char *value)
{
	if (str_eq(value, "syslog") || str_eq(value, "stderr"))
		return NULL;
	return "\"syslog\" or \"stderr\"";
}

static const char *
check_level(const char *value)
{
	if (str_eq(value, "error") || str_eq(value, "warn") ||
	    str_eq(value, "info") || str_eq(value, "debug"))
		return NULL;
	return "\"error\", \"warn\", \"info\" or \"debug\"";
}

static bool
is_addr_at_port(const char *value)
{
	const char *at = strchr(value, '@');
	char text[IP_TEXT_SIZE];
	struct ip ip;
	uint64_t port;

	if (at == NULL || (size_t)(at - value) >= sizeof(text))
		return false;
	memcpy(text, value, (size_t)(at - value));
	text[at - value] = '\0';
	return ip_parse(text, &ip, NULL) == 0 &&
	       str_to_u64(at + 1, &port, NULL) == 0 && port >= 1 &&
	       port <= 65535;
}

static const char *
check_resolver(const char *value)
{
	if (*value == '\0' || is_addr_at_port(value))
		return NULL;
	return "ADDR@PORT such as \"192.0.2.53@53\", or \"\" for "
	       "/etc/resolv.conf";
}

static const char *
check_spamd(const char *value)
{
	if (*value == '\0' || is_addr_at_port(value) ||
	    (*value == '/' && strlen(value) < SOCKET_PATH_SIZE))
		return NULL;
	return "the path of a socket of at most 107 bytes, ADDR@PORT such as "
	       "\"127.0.0.1@783\", or \"\" for none";
}

static const char *
check_tls_version(const char *value)
{
	if (str_eq(value, "1.2") || str_eq(value, "1.3"))
		return NULL;
	return "\"1.2\" or \"1.3\"";
}

static const char *
check_agentx(const char *value)
{
	const char *colon;
	uint64_t port;

	if (str_has_prefix(value, "unix:/") && strlen(value) < 100)
		return NULL;
	colon = strrchr(value, ':');
	if (str_has_prefix(value, "tcp:") && colon > value + 4 &&
	    str_to_u64(colon + 1, &port, NULL) == 0 && port > 0 &&
	    port <= 65535)
		return NULL;
	return "unix:PATH with an absolute path, or tcp:HOST:PORT";
}

static const char *
check_base_oid(const char *value)
{
	static const char form[] = "numbers with dots between, below "
				   "1.3.6.1.4.1 and at most 32 of them";
	const char *p = value, *start;
	char number[16];
	uint64_t n;
	int count = 0;

	if (!str_has_prefix(value, "1.3.6.1.4.1."))
		return form;
	do {
		start = p;
		while (ascii_isdigit(*p))
			p++;
		if (p == start || p - start > 10 || ++count > 32)
			return form;
		memcpy(number, start, (size_t)(p - start));
		number[p - start] = '\0';
		if (str_to_u64(number, &n, NULL) != 0 || n > UINT32_MAX)
			return form;
	} while (*p++ == '.');
	return p[-1] == '\0' ? NULL : form;
}

static const char *
check_ucd_rows(const char *value)
{
	const char *p = value;

	/* One digit, and commas between. */
	while (*p >= '5' && *p <= '9' && p[1] == ',')
		p += 2;
	if (*value == '\0' || (*p >= '5' && *p <= '9' && p[1] == '\0'))
		return NULL;
	return "numbers from 5 to 9 with commas between, such as \"5,6\"";
}

static const char *
check_exporter(const char *value)
{
	struct ip_port at;

	if (*value == '\0' || (ip_port_parse(value, &at, NULL) == 0 &&
			       at.port > 0 && ip_is_loopback(&at.ip)))
		return NULL;
	return "a loopback address such as \"127.0.0.1:9725\", or \"\" for "
	       "none: whoever reaches it may read";
}

/* A key ending in a dot stands for all of its group. */
static const struct {
	const char *key;
	check_fn *check;
} checks[] = {
	{ "hostname", check_hostname },
	{ "paths.", check_path },
	{ "users.", check_user },
	{ "log.target", check_target },
	{ "log.level", check_level },
	{ "resolver", check_resolver },
	{ "spamd.socket", check_spamd },
	{ "tls.min_version", check_tls_version },
	{ "snmp.agentx", check_agentx },
	{ "snmp.ucd_rows", check_ucd_rows },
	{ "snmp.base_oid", check_base_oid },
	{ "prometheus.listen", check_exporter },
};

const char *
conf_expected(const char *key, const char *value)
{
	const char *expected = NULL;
	size_t i, len;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		len = strlen(checks[i].key);
		if (checks[i].key[len - 1] == '.'
			    ? str_has_prefix(key, checks[i].key)
			    : str_eq(key, checks[i].key))
			expected = checks[i].check(value);
	}
	return expected;
}

const struct conf_row *
conf_row_find(const char *key)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (str_eq(conf_rows[i].key, key))
			return &conf_rows[i];
	return NULL;
}

/* The row whose key is name within some group. */
static const struct conf_row *
find_in_groups(const char *name)
{
	const char *dot;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		dot = strchr(conf_rows[i].key, '.');
		if (dot != NULL && str_eq(dot + 1, name))
			return &conf_rows[i];
	}
	return NULL;
}

bool
conf_is_group(const char *name)
{
	size_t len = strlen(name);
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (str_has_prefix(conf_rows[i].key, name) &&
		    conf_rows[i].key[len] == '.')
			return true;
	return false;
}

/* The words that may stand in group, or outside of all when it is "":
 * at most max and a NULL. */
static void
list_words(const char *group, char (*words)[CONF_KEY_SIZE], size_t max)
{
	size_t n = 0;
	size_t i, len = strlen(group);
	const char *word;

	for (i = 0; i < ROWS && n + 1 < max; i++) {
		word = conf_rows[i].key;
		if (len > 0 &&
		    (!str_has_prefix(word, group) || word[len] != '.'))
			continue;
		word += len > 0 ? len + 1 : 0;
		str_copy(words[n], CONF_KEY_SIZE, word);
		words[n][strcspn(word, ".")] = '\0';
		/* Rows of a group stand together. */
		if (n == 0 || !str_eq(words[n - 1], words[n]))
			n++;
	}
	if (len == 0) {
		str_copy(words[n++], CONF_KEY_SIZE, "listeners");
		str_copy(words[n++], CONF_KEY_SIZE, "certificates");
	}
	words[n][0] = '\0';
}

static void
add(char *dst, size_t size, const char *more)
{
	size_t len = strlen(dst);

	str_copy(dst + len, size - len, more);
}

void
conf_unknown(const char *group, const char *name, char *dst, size_t size)
{
	char words[ROWS + 3][CONF_KEY_SIZE];
	const char *list[ROWS + 3];
	const struct conf_row *elsewhere = NULL;
	const char *dot = *group != '\0' ? "." : "";
	const char *nearest;
	size_t i;

	list_words(group, words, ROWS + 1);
	for (i = 0; words[i][0] != '\0'; i++)
		list[i] = words[i];
	list[i] = NULL;
	nearest = str_nearest(name, list);
	if (*group == '\0')
		elsewhere = find_in_groups(name);
	str_fmt(dst, size, "unknown key \"%s%s%.64s\": ", group, dot, name);
	if (elsewhere != NULL) {
		add(dst, size, "expected it within its group, as ");
		add(dst, size, elsewhere->key);
		return;
	}
	if (nearest != NULL) {
		add(dst, size, "did you mean \"");
		add(dst, size, group);
		add(dst, size, dot);
		add(dst, size, nearest);
		add(dst, size, "\"?");
		return;
	}
	add(dst, size, "expected ");
	for (i = 0; list[i] != NULL; i++) {
		add(dst, size, i > 0 ? ", " : "");
		add(dst, size, list[i]);
	}
}
