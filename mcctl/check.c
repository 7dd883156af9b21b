/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl check: what would keep mcd from its work, looked at without
 * changing anything.  mcd.conf has been read when it gets here.
 */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "file.h"
#include "policy.h"
#include "rights.h"
#include "str.h"

struct checking {
	struct ctx *c;
	size_t faults;
};

/* policy_load() tells its warnings to a function without an argument. */
static struct checking *now;

enum found { FOUND_OK, FOUND_NOTE, FOUND_FAULT };

__attribute__((format(printf, 4, 5))) static void
tell(struct checking *k, const char *what, enum found found, const char *fmt,
     ...)
{
	static const char *const names[] = { "ok", "note", "FAULT" };
	struct record r = { 0 };
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	k->faults += found == FOUND_FAULT;
	record_str(&r, "what", what);
	record_str(&r, "result", names[found]);
	record_str(&r, "text", text);
	out_row(&k->c->out, &r);
	record_release(&r);
}

/* -1 where mcd would not change user. */
static long
uid_of(const struct ctx *c, const char *user)
{
	const struct passwd *pw;

	if (!c->conf.jail)
		return -1;
	pw = getpwnam(user);
	return pw != NULL ? (long)pw->pw_uid : -1;
}

static void
check_user(struct checking *k, const char *key, const char *user)
{
	const struct passwd *pw = getpwnam(user);

	if (pw == NULL)
		tell(k, key, geteuid() == 0 ? FOUND_FAULT : FOUND_NOTE,
		     "user \"%s\" is not known: make it, or name another in "
		     "mcd.conf",
		     user);
	else if (pw->pw_uid == 0 && geteuid() == 0)
		tell(k, key, FOUND_FAULT,
		     "user \"%s\" is root: expected one that is not, or jail "
		     "= false",
		     user);
	else
		tell(k, key, FOUND_OK, "%s", user);
}

static void
check_users(struct checking *k)
{
	const struct conf *conf = &k->c->conf;

	if (!conf->jail) {
		tell(k, "jail", FOUND_NOTE,
		     "jail = false: started by root, mcd keeps root");
		return;
	}
	check_user(k, "users.main", conf->user_main);
	check_user(k, "users.net", conf->user_net);
	check_user(k, "users.queue", conf->user_queue);
	check_user(k, "users.scan", conf->user_scan);
}

static void
check_folder(struct checking *k, const char *key, const char *path,
	     const char *user, mode_t not_allowed)
{
	long uid = user != NULL ? uid_of(k->c, user) : -1;
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT)
			tell(k, key, FOUND_NOTE,
			     "%s: not there yet; mcd makes it when it starts",
			     path);
		else
			tell(k, key, FOUND_FAULT, "%s: %s", path,
			     strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		tell(k, key, FOUND_FAULT, "%s: not a folder", path);
	else if (uid > 0 && geteuid() == 0 && (long)st.st_uid != uid)
		tell(k, key, FOUND_NOTE,
		     "%s: belongs to uid %ld; mcd gives it to %s when it "
		     "starts",
		     path, (long)st.st_uid, user);
	else if ((st.st_mode & not_allowed) != 0)
		tell(k, key, FOUND_FAULT,
		     "%s: mode %04o lets others in: expected none of %04o",
		     path, (unsigned)st.st_mode & 07777, (unsigned)not_allowed);
	else
		tell(k, key, FOUND_OK, "%s", path);
}

static void
check_program(struct checking *k, const char *program)
{
	char path[1024];

	if (!str_fmt(path, sizeof(path), "%s/%s", k->c->conf.libexec_dir,
		     program))
		tell(k, "paths.libexec", FOUND_FAULT, "path is too long");
	else if (access(path, X_OK) < 0)
		tell(k, "paths.libexec", FOUND_FAULT, "%s: %s", path,
		     strerror(errno));
	else
		tell(k, "paths.libexec", FOUND_OK, "%s", path);
}

static void
check_folders(struct checking *k)
{
	const struct conf *conf = &k->c->conf;

	check_folder(k, "paths.spool", conf->spool_dir, conf->user_queue,
		     conf->jail ? S_IWOTH | S_IROTH : S_IWOTH);
	check_folder(k, "paths.lib", conf->lib_dir, conf->user_main, S_IWOTH);
	check_folder(k, "paths.run", conf->run_dir, NULL, S_IWOTH);
	check_program(k, "mcd-filter");
	check_program(k, "mcctl-net");
}

static void
warn_row(const char *text)
{
	tell(now, "settings.db", FOUND_FAULT, "%s", text);
}

static void
check_policy(struct checking *k)
{
	struct err e;
	size_t before = k->faults;
	struct policy *p;

	now = k;
	p = policy_load(k->c->db, warn_row, &e);
	if (p == NULL)
		tell(k, "settings.db", FOUND_FAULT, "%s", e.text);
	else if (policy_first_domain(p) == NULL)
		tell(k, "settings.db", FOUND_NOTE,
		     "no domain is in it: mail is taken for nobody");
	else if (k->faults == before)
		tell(k, "settings.db", FOUND_OK, "%s/settings.db",
		     k->c->conf.lib_dir);
	policy_free(p);
}

static void
check_settings(struct checking *k)
{
	struct conf *conf = &k->c->conf;
	char path[1024];
	struct err e = { "" };

	str_fmt(path, sizeof(path), "%s/settings.db", conf->lib_dir);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		tell(k, "settings.db", FOUND_NOTE,
		     "%s: not there yet; mail is answered later until a "
		     "domain is added",
		     path);
		return;
	}
	if (rights_become(conf, conf->user_main, &e) < 0 ||
	    db_open(conf->lib_dir, false, conf->node, &k->c->db, &e) != DB_OK) {
		tell(k, "settings.db", FOUND_FAULT, "%s", e.text);
		return;
	}
	check_policy(k);
}

int
cmd_check(struct ctx *c)
{
	struct checking k = { .c = c };

	tell(&k, "mcd.conf", FOUND_OK, "%s", c->conf.path);
	if (c->conf.listener_count == 0)
		tell(&k, "listeners", FOUND_FAULT,
		     "there are none: mcd takes no mail");
	check_users(&k);
	check_folders(&k);
	check_settings(&k);
	if (k.faults == 0)
		return EX_OK;
	return complain(c, EX_CONFIG, "%zu fault%s", k.faults,
			k.faults == 1 ? "" : "s");
}
