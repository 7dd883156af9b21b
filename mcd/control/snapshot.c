/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening, watching and loading settings.db.  While a load is under way the
 * database is its thread's, and nobody else touches it.
 */
#include "snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"

#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"

#define LOOK_MS 1000
#define GRACE_MS 5000 /* the last snapshot holds so long in trouble */
#define WARNINGS_MAX 20000 /* bytes of what one load complains of */

/* What a load makes; its thread's until it is over. */
static struct {
	struct db *db; /* borrowed */
	struct policy *fresh;
	bool is_virgin;
	struct err e;
	struct buf warnings; /* a line each */
} work;

static struct {
	char dir[1024];
	int64_t node;
	void (*changed)(void);
	void (*looked)(uint64_t number);
	bool is_loading, is_again; /* again: it may have changed since */
	uint64_t number; /* of the last load that was begun */
	int64_t loading; /* the version that is being read */
	pthread_t thread;
	int wake; /* readable when the thread is done */
	struct watch watch;
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
	(void)buf_printf(&work.warnings, "%s\n", text);
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
is_virgin(const struct policy *p, struct db *db)
{
	bool has = false;

	return policy_first_domain(p) == NULL &&
	       db_changes(db, 0, is_of_domain, &has, NULL) == DB_OK && !has;
}

/* All that takes long. */
static void
do_work(void)
{
	work.fresh = NULL;
	work.e.text[0] = '\0';
	buf_clear(&work.warnings);
	work.warnings.limit = WARNINGS_MAX;
	if (db_verify(work.db, &work.e) == DB_OK)
		work.fresh = policy_load(work.db, warn_row, &work.e);
	if (work.fresh != NULL)
		work.is_virgin = is_virgin(work.fresh, work.db);
}

static void
say_warnings(void)
{
	char *rest = work.warnings.data, *line;

	if (work.warnings.len == 0)
		return;
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0')
		log_warn("settings.db: %s", line);
}

/* What was read is in use from here on. */
static void
take_work(void)
{
	say_warnings();
	if (work.fresh == NULL) {
		in_trouble(&work.e);
		db_close(self.db);
		self.db = NULL;
		return;
	}
	drop_policy();
	self.version = self.loading;
	if (work.is_virgin) {
		policy_free(work.fresh);
		err_set(&work.e,
			"no domain has been added yet (mcctl domain add)");
		in_trouble(&work.e);
		return;
	}
	self.policy = work.fresh;
	if (self.trouble.text[0] != '\0')
		log_info("settings are in use");
	self.trouble.text[0] = '\0';
	stats_add(role_stats(), STAT_settings_loads, 1);
	self.changed();
}

static void *
run_thread(void *arg)
{
	uint64_t one = 1;

	(void)arg;
	do_work();
	/* The loop reads it: there is room. */
	if (write(self.wake, &one, sizeof(one)) != (ssize_t)sizeof(one))
		bug("settings: the end of a load cannot be told");
	return NULL;
}

/* The number of the load, or 0 when it is over. */
static uint64_t
load(int64_t version)
{
	self.loading = version;
	self.number++;
	work.db = self.db;
	if (self.policy != NULL &&
	    pthread_create(&self.thread, NULL, run_thread, NULL) == 0) {
		self.is_loading = true;
		return self.number;
	}
	do_work();
	take_work();
	return 0;
}

uint64_t
snapshot_look(void)
{
	uint64_t number = 0;
	int64_t version;

	if (self.is_loading) {
		self.is_again = true;
		return self.number + 1;
	}
	if (open_db() == 0) {
		version = db_data_version(self.db);
		if (version != self.version || version < 0 ||
		    self.trouble.text[0] != '\0')
			number = load(version);
	}
	stats_set(role_stats(), STAT_settings_read, is_usable());
	return number;
}

static void
on_loaded(void *arg, int what)
{
	uint64_t count, number;

	(void)arg, (void)what;
	if (read(self.wake, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	(void)pthread_join(self.thread, NULL);
	self.is_loading = false;
	number = self.number;
	take_work();
	stats_set(role_stats(), STAT_settings_read, is_usable());
	if (self.is_again) {
		self.is_again = false;
		/* Nothing new: that is what the next would have seen. */
		if (snapshot_look() == 0)
			number = ++self.number;
	}
	self.looked(number);
}

static void
on_timer(void *arg)
{
	(void)arg;
	(void)snapshot_look();
	timer_set(&self.timer, LOOK_MS);
}

void
snapshot_start(const char *dir, int64_t node, void (*changed)(void),
	       void (*looked)(uint64_t number))
{
	memset(&self, 0, sizeof(self));
	str_copy(self.dir, sizeof(self.dir), dir);
	self.node = node;
	self.version = -1;
	self.changed = changed;
	self.looked = looked;
	self.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (self.wake < 0)
		fatal(EX_OSERR, "settings: %s", strerror(errno));
	watch_init(&self.watch, self.wake, on_loaded, NULL);
	watch_set(&self.watch, WATCH_READ);
	timer_init(&self.timer, on_timer, NULL);
	on_timer(NULL);
}

void
snapshot_stop(void)
{
	timer_release(&self.timer);
	if (self.is_loading) {
		(void)pthread_join(self.thread, NULL);
		policy_free(work.fresh);
		self.is_loading = false;
	}
	watch_release(&self.watch);
	file_shut(&self.wake);
	buf_release(&work.warnings);
	drop_policy();
	db_close(self.db);
	self.db = NULL;
}
