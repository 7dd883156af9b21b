/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Neither mcd's files nor anything of root's is needed any more once this is
 * done.
 */
#include "begin.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf_keys.h"
#include "log.h"
#include "str.h"

int
begin_conf(const char *name, const char *path, struct conf *conf)
{
	struct err e = { "" };

	if (conf_read(path, conf, &e) == 0)
		return EX_OK;
	fprintf(stderr, "%s: %s\n", name, e.text);
	return EX_CONFIG;
}

int
begin_address(const char *name, char option, const char *key,
	      const char *address)
{
	const char *expected = conf_expected(key, address);

	if (expected == NULL)
		return EX_OK;
	fprintf(stderr, "%s: -%c %s: expected %s\n", name, option, address,
		expected);
	return EX_USAGE;
}

/* Groups too: that of mcd reads the mapping, another one snmpd's socket. */
void
begin_rights(const struct conf *conf)
{
	const struct passwd *pw;

	if (geteuid() != 0 || !conf->jail)
		return;
	errno = 0;
	pw = getpwnam(conf->user_main);
	if (pw == NULL)
		fatal(EX_NOUSER, "user \"%s\" (users in %s): %s",
		      conf->user_main, conf->path,
		      errno != 0 ? strerror(errno) : "not known");
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
	    setuid(pw->pw_uid) < 0)
		fatal(EX_OSERR, "becoming user %s: %s", conf->user_main,
		      strerror(errno));
}

void
begin_log(const struct conf *conf, const char *name)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "error", LOG_LEVEL_ERROR },
		{ "warn", LOG_LEVEL_WARN },
		{ "info", LOG_LEVEL_INFO },
		{ "debug", LOG_LEVEL_DEBUG },
	};
	enum log_level level = LOG_LEVEL_INFO;

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (str_eq(conf->log_level, levels[i].name))
			level = levels[i].level;
	}
	log_open(name,
		 str_eq(conf->log_target, "stderr") ? LOG_TO_STDERR
						    : LOG_TO_SYSLOG,
		 level);
}
