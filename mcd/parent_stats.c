/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The parent's side of the stats mapping.
 */
#include "parent_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "log.h"
#include "parent_dirs.h"
#include "str.h"

#define SAVE_EVERY_MS 60000

static struct {
	struct stats *map;
	int fd;
	char save_path[PATH_MAX];
	int64_t started_us;
	int64_t saved_ms;
} self = { .fd = -1 };

static int
make_file(const struct parent_conf *pc, const char *path, struct err *e)
{
	uid_t uid;
	gid_t gid;

	if (parent_owner(pc, pc->conf.user_main, &uid, &gid, e) != 0)
		return -1;
	if (unlink(path) != 0 && errno != ENOENT)
		return err_sys(e, "%s: unlink", path);
	self.fd = file_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (self.fd < 0)
		return err_sys(e, "%s", path);
	if (stats_create(self.fd, e) != 0)
		return err_prefix(e, "%s", path);
	if (fchown(self.fd, (uid_t)-1, gid) != 0)
		return err_sys(e, "%s: chown", path);
	if (fchmod(self.fd, 0640) != 0)
		return err_sys(e, "%s: chmod", path);
	return 0;
}

int
parent_stats_open(const struct parent_conf *pc, struct err *e)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	struct err why;

	if (!str_fmt(path, sizeof(path), "%s/stats", pc->conf.run_dir) ||
	    !str_fmt(fresh, sizeof(fresh), "%s/stats.new", pc->conf.run_dir) ||
	    !str_fmt(self.save_path, sizeof(self.save_path), "%s/stats.save",
		     pc->conf.lib_dir))
		return err_set(e, "paths are too long");
	if (make_file(pc, fresh, e) != 0)
		return -1;
	self.map = stats_map(self.fd, ROLE_PARENT, e);
	if (self.map == NULL)
		return err_prefix(e, "%s", fresh);
	if (stats_load(self.map, self.save_path, &why) != 0)
		log_warn("totals start at nothing: %s", why.text);
	self.started_us = clock_wall_us();
	self.saved_ms = clock_mono_ms();
	parent_stats_beat();
	if (rename(fresh, path) != 0)
		return err_sys(e, "%s: rename", path);
	return 0;
}

int
parent_stats_fd(void)
{
	return self.fd;
}

void
parent_stats_save(void)
{
	struct err e;

	self.saved_ms = clock_mono_ms();
	if (stats_save(self.map, self.save_path, &e) != 0)
		log_warn("totals not saved: %s", e.text);
}

void
parent_stats_beat(void)
{
	stats_beat(self.map, clock_wall_us(), self.started_us,
		   (int64_t)getpid());
	if (clock_mono_ms() - self.saved_ms >= SAVE_EVERY_MS)
		parent_stats_save();
}

void
parent_stats_certificates(int64_t ends_us)
{
	stats_set(self.map, STAT_certificate_ends_us, ends_us);
}

void
parent_stats_process(const char *key, int64_t pid, enum process_state state,
		     int64_t restarts)
{
	size_t row = stats_row(self.map, TABLE_PROCESS, key);

	stats_row_set(self.map, TABLE_PROCESS, row, PROCESS_PID, pid);
	stats_row_set(self.map, TABLE_PROCESS, row, PROCESS_STATE, state);
	stats_row_set(self.map, TABLE_PROCESS, row, PROCESS_RESTARTS, restarts);
	stats_row_set(self.map, TABLE_PROCESS, row, PROCESS_SINCE_US,
		      clock_wall_us());
}

void
parent_stats_process_gone(const char *key)
{
	stats_row_drop(self.map, TABLE_PROCESS, key);
}

void
parent_stats_error(const char *fmt, ...)
{
	char text[STATS_RING_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("%s", text);
	stats_ring_add(self.map, RING_ERROR, clock_wall_us(), text);
}
