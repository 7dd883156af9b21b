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

static struct {
	char dir[1024];
	int64_t node;
	void (*changed)(void);
	struct db *db;
	int64_t version; /* of the snapshot */
	struct policy *policy;
	struct err trouble;
	struct timer timer;
} self;

const struct policy *
snapshot(void)
{
	return self.policy;
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
	if (!str_eq(self.trouble.text, e->text))
		log_error("settings.db: %s: mail is answered later", e->text);
	self.trouble = *e;
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
	if (db_open(self.dir, true, self.node, &self.db, &e) == DB_OK)
		return 0;
	self.db = NULL;
	in_trouble(&e);
	return -1;
}

static void
load(int64_t version)
{
	struct err e = { "" };
	struct policy *fresh = policy_load(self.db, warn_row, &e);

	if (fresh == NULL) {
		in_trouble(&e);
		/* What was read before still holds, but for a first load. */
		db_close(self.db);
		self.db = NULL;
		return;
	}
	policy_free(self.policy);
	self.policy = fresh;
	self.version = version;
	if (self.trouble.text[0] != '\0')
		log_info("settings.db: read again");
	self.trouble.text[0] = '\0';
	stats_add(role_stats(), STAT_settings_loads, 1);
	self.changed();
}

void
snapshot_look(void)
{
	int64_t version;

	if (open_db() < 0)
		return;
	version = db_data_version(self.db);
	if (self.policy == NULL || version != self.version ||
	    self.trouble.text[0] != '\0')
		load(version);
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
	str_copy(self.dir, sizeof(self.dir), dir);
	self.node = node;
	self.changed = changed;
	timer_init(&self.timer, on_timer, NULL);
	on_timer(NULL);
}

void
snapshot_stop(void)
{
	timer_release(&self.timer);
	policy_free(self.policy);
	self.policy = NULL;
	if (self.db != NULL)
		db_close(self.db);
	self.db = NULL;
}
