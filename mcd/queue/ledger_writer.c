/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The loop's side of the ledger: what waits, who waits for it, and the
 * files as store sees them.  The thread's side is in ledger_thread.c.
 */
#include "ledger_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "drift.h"
#include "file.h"
#include "ledger_thread.h"
#include "list.h"
#include "log.h"
#include "str.h"
#include "xalloc.h"

struct waiter {
	struct list node;
	uint64_t number;
	ledger_sync_fn *fn;
	void *arg;
};

static struct {
	int ledger_fd;
	const struct ledger_writer_ops *ops;
	struct list waiters; /* by number */
	struct wake wake;
	uint64_t appended; /* events so far */
	char hour[LEDGER_NAME_SIZE]; /* of the last event */
	int64_t keep_ms;
	struct ledger_durable seen;
	bool is_failing;
} self;

static void
tell_trouble(const struct ledger_durable *now)
{
	if (now->failures == self.seen.failures &&
	    now->is_failing == self.is_failing)
		return;
	if (now->failures != self.seen.failures)
		log_error("ledger: %s", now->why);
	self.is_failing = now->is_failing;
	self.ops->trouble(self.is_failing ? now->why : NULL);
}

/* The thread has made something durable, or has failed to. */
static void
look(void)
{
	struct ledger_durable now;

	ledger_thread_look(&now);
	tell_trouble(&now);
	if (!str_eq(now.file, self.seen.file) || now.size != self.seen.size)
		self.ops->grown(now.file, now.size);
	self.seen = now;
}

static void
on_wake(void *arg)
{
	struct waiter *w;

	(void)arg;
	look();
	while (!list_is_empty(&self.waiters)) {
		w = list_entry(self.waiters.next, struct waiter, node);
		if (w->number > self.seen.number)
			break;
		list_del(&w->node);
		w->fn(w->arg);
		free(w);
	}
	wake_expect(&self.wake, !list_is_empty(&self.waiters));
}

void
ledger_writer_start(int ledger_fd, const struct ledger_writer_ops *ops)
{
	memset(&self, 0, sizeof(self));
	self.ledger_fd = ledger_fd;
	self.ops = ops;
	list_init(&self.waiters);
	if (wake_init(&self.wake, on_wake, NULL) != 0)
		fatal(71, "ledger: eventfd: %s", strerror(errno));
	ledger_thread_start(ledger_fd, &self.wake);
}

void
ledger_writer_set_keep(int64_t keep_ms)
{
	self.keep_ms = keep_ms;
	ledger_thread_set_keep(drift_is_sane() ? keep_ms : 0);
}

void
ledger_writer_stop(void)
{
	struct list *n;

	ledger_thread_stop();
	look();
	/* What they wait to do is left to the next start: the committer has
	 * stopped. */
	while ((n = list_pop(&self.waiters)) != NULL)
		free(list_entry(n, struct waiter, node));
	wake_release(&self.wake);
}

void
ledger_append(const struct ledger_event *ev)
{
	struct ledger_event now = *ev;
	struct buf line = { .limit = LEDGER_LINE_MAX };
	char hour[LEDGER_NAME_SIZE];

	if (now.at_us == 0)
		now.at_us = clock_wall_us();
	ledger_file(now.at_us, hour);
	/* A clock that was set back does not go back to older files. */
	if (strcmp(hour, self.hour) > 0) {
		(void)str_copy(self.hour, sizeof(self.hour), hour);
		/* Old files go with each new hour, but not when it is a
		 * clock that has jumped which makes them old. */
		ledger_writer_set_keep(self.keep_ms);
	}
	if (ledger_write(&now, &line) == 0)
		ledger_thread_add(self.hour, buf_span(&line), ++self.appended);
	else
		log_error("%s ledger_line_refused verb=%s", now.name,
			  ledger_verb_name(now.verb));
	buf_release(&line);
}

void
ledger_sync(ledger_sync_fn *fn, void *arg)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->number = self.appended;
	w->fn = fn;
	w->arg = arg;
	list_push(&self.waiters, &w->node);
	wake_expect(&self.wake, true);
	if (w->number <= self.seen.number)
		wake_send(&self.wake);
	else
		ledger_thread_want();
}

bool
ledger_is_failing(void)
{
	return self.is_failing;
}

size_t
ledger_waiting(void)
{
	size_t n = ledger_thread_waiting();

	return n > 0 ? n : !list_is_empty(&self.waiters);
}

/* The least name of a file that is greater than after. */
static int
find_name(const char *after, char dst[LEDGER_NAME_SIZE], struct err *e)
{
	int fd = file_open(self.ledger_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	int failed;

	dst[0] = '\0';
	if (folder == NULL) {
		err_sys(e, "ledger folder");
		file_shut(&fd);
		return -1;
	}
	while (errno = 0, (d = readdir(folder)) != NULL) {
		if (ledger_file_valid(d->d_name) &&
		    strcmp(d->d_name, after) > 0 &&
		    (dst[0] == '\0' || strcmp(d->d_name, dst) < 0))
			(void)str_copy(dst, LEDGER_NAME_SIZE, d->d_name);
	}
	failed = errno;
	closedir(folder);
	errno = failed;
	if (failed != 0)
		return err_sys(e, "ledger folder");
	return dst[0] != '\0';
}

/* Whether lines may still go to a file of this name. */
static bool
may_grow(const char *file)
{
	char least[LEDGER_NAME_SIZE];

	ledger_file(clock_wall_us(), least);
	if (strcmp(self.hour, least) > 0)
		(void)str_copy(least, sizeof(least), self.hour);
	ledger_thread_least(least);
	if (strcmp(self.seen.file, least) > 0)
		(void)str_copy(least, sizeof(least), self.seen.file);
	return strcmp(file, least) >= 0;
}

int
ledger_find(const char *after, const char *file, struct ledger_found *found,
	    struct err *e)
{
	struct stat st;
	int result;

	memset(found, 0, sizeof(*found));
	found->fd = -1;
	if (file[0] == '\0') {
		result = find_name(after, found->file, e);
		if (result <= 0)
			return result;
	} else if (!ledger_file_valid(file) ||
		   !str_copy(found->file, sizeof(found->file), file)) {
		return err_set(e, "ledger: no file of this name");
	}
	found->fd = file_open(self.ledger_fd, found->file, O_RDONLY, 0);
	if (found->fd < 0 && errno == ENOENT)
		return 0;
	if (found->fd < 0 || fstat(found->fd, &st) != 0) {
		err_sys(e, "ledger %s", found->file);
		file_shut(&found->fd);
		return -1;
	}
	found->is_closed = !may_grow(found->file);
	found->size = str_eq(found->file, self.seen.file)
			      ? self.seen.size
			      : (uint64_t)st.st_size;
	return 1;
}
