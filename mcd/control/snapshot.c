/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening, watching and loading settings.db.
 */
#include "snapshot.h"

#include <string.h>

#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"

#define LOOK_MS 1000
#define GRACE_MS 5000 /* the last snapshot holds so long in trouble */

static struct {
	char dir[1024];
	int64_t node;
	void (*changed)(void);
	struct db *db;
	bool was_open; /* once since the start */
	int64_t version; /* of the snapshot */
	struct policy *policy;
	struct err trouble;
	int64_t trouble_ms; /* since when */
	struct timer timer;
} self;

static bool
is_usable(void)
{
	return self.policy != NULL &&
	       (self.trouble.text[0] == '\0' ||
		loop_now_ms() - self.trouble_ms < GRACE_MS);
}

const struct policy *
snapshot(void)
{
	return is_usable() ? self.policy : NULL;
}

const char *
snapshot_trouble(void)
{
	return self.trouble.text;
}

/* Says it once, not each second. */
static void
in_trouble(const struct err *e)
{
	if (self.trouble.text[0] == '\0')
		self.trouble_ms = loop_now_ms();
	if (!str_eq(self.trouble.text, e->text))
		log_error("settings cannot be used: %s: mail is answered later",
			  e->text);
	self.trouble = *e;
}

static void
drop_policy(void)
{
	policy_free(self.policy);
	self.policy = NULL;
}

static void
warn_row(const char *text)
{
	log_warn("settings.db: %s", text);
}

static int
open_db(void)
{
	struct err e = { "" };

	if (self.db != NULL)
		return 0;
	if (db_open(self.dir, !self.was_open, self.node, &self.db, &e) ==
	    DB_OK) {
		self.was_open = true;
		return 0;
	}
	self.db = NULL;
	in_trouble(&e);
	return -1;
}

static int
is_of_domain(void *arg, const struct db_change *c)
{
	bool *has = arg;

	*has = str_eq(c->kind, "domain");
	return *has;
}

/*
 * No domain was ever written: a new file, or one that took the place of a
 * lost one.  Nobody has said yet what is ours, so nothing is refused.
 */
static bool
is_virgin(const struct policy *p)
{
	bool has = false;

	return policy_first_domain(p) == NULL &&
	       db_changes(self.db, 0, is_of_domain, &has, NULL) == DB_OK &&
	       !has;
}

static void
load(int64_t version)
{
	struct err e = { "" };
	struct policy *fresh = NULL;

	if (db_verify(self.db, &e) == DB_OK)
		fresh = policy_load(self.db, warn_row, &e);
	if (fresh == NULL) {
		in_trouble(&e);
		db_close(self.db);
		self.db = NULL;
		return;
	}
	drop_policy();
	self.version = version;
	if (is_virgin(fresh)) {
		policy_free(fresh);
		err_set(&e, "no domain has been added yet (mcctl domain add)");
		in_trouble(&e);
		return;
	}
	self.policy = fresh;
	if (self.trouble.text[0] != '\0')
		log_info("settings are in use");
	self.trouble.text[0] = '\0';
	stats_add(role_stats(), STAT_settings_loads, 1);
	self.changed();
}

void
snapshot_look(void)
{
	int64_t version;

	if (open_db() == 0) {
		version = db_data_version(self.db);
		if (version != self.version || version < 0 ||
		    self.trouble.text[0] != '\0')
			load(version);
	}
	stats_set(role_stats(), STAT_settings_read, is_usable());
}

static void
on_timer(void *arg)
{
	(void)arg;
	snapshot_look();
	timer_set(&self.timer, LOOK_MS);
}

void
snapshot_start(const char *dir, int64_t node, void (*changed)(void))
{
	memset(&self, 0, sizeof(self));
	str_copy(self.dir, sizeof(self.dir), dir);
	self.node = node;
	self.version = -1;
	self.changed = changed;
	timer_init(&self.timer, on_timer, NULL);
	on_timer(NULL);
}

void
snapshot_stop(void)
{
	timer_release(&self.timer);
	drop_policy();
	db_close(self.db);
	self.db = NULL;
}
