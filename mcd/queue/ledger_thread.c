/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Takes the lines that wait, one hour's at a time, writes them to their
 * file and syncs it.  Lines are given up for durable only after a good
 * sync of the file they are in and of the folder that names it.
 */
#include "ledger_thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "list.h"
#include "log.h"
#include "str.h"
#include "xalloc.h"

#define LEISURE_MS 500 /* lines nobody waits for are synced by then */
#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 60000
#define HOUR_LEN 10

/* Lines of one hour. */
struct lines {
	struct list node;
	char hour[LEDGER_NAME_SIZE];
	struct buf text;
	uint64_t number; /* of the last one */
};

static struct {
	int ledger_fd;
	struct wake *wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	/* under lock */
	struct list waiting; /* struct lines */
	struct lines *current; /* being written */
	size_t waiting_bytes;
	bool is_wanted;
	bool is_stopping;
	int64_t keep_ms;
	struct ledger_durable durable;
	/* of the thread */
	int fd;
	char file[LEDGER_NAME_SIZE];
	uint64_t size;
} self = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = -1,
};

void
ledger_thread_add(const char *hour, struct span line, uint64_t number)
{
	struct lines *last = NULL;

	pthread_mutex_lock(&self.lock);
	if (!list_is_empty(&self.waiting))
		last = list_entry(self.waiting.prev, struct lines, node);
	if (last == NULL || !str_eq(last->hour, hour)) {
		last = xcalloc(1, sizeof(*last));
		(void)str_copy(last->hour, sizeof(last->hour), hour);
		list_push(&self.waiting, &last->node);
		pthread_cond_signal(&self.work);
	}
	(void)buf_add_span(&last->text, line);
	last->number = number;
	self.waiting_bytes += line.len;
	pthread_mutex_unlock(&self.lock);
}

void
ledger_thread_want(void)
{
	pthread_mutex_lock(&self.lock);
	self.is_wanted = true;
	pthread_cond_signal(&self.work);
	pthread_mutex_unlock(&self.lock);
}

void
ledger_thread_look(struct ledger_durable *now)
{
	pthread_mutex_lock(&self.lock);
	*now = self.durable;
	pthread_mutex_unlock(&self.lock);
}

size_t
ledger_thread_waiting(void)
{
	size_t n;

	pthread_mutex_lock(&self.lock);
	n = self.waiting_bytes;
	pthread_mutex_unlock(&self.lock);
	return n;
}

void
ledger_thread_least(char least[LEDGER_NAME_SIZE])
{
	struct lines *first = NULL;

	pthread_mutex_lock(&self.lock);
	if (self.current != NULL)
		first = self.current;
	else if (!list_is_empty(&self.waiting))
		first = list_entry(self.waiting.next, struct lines, node);
	if (first != NULL && strcmp(first->hour, least) < 0)
		(void)str_copy(least, LEDGER_NAME_SIZE, first->hour);
	pthread_mutex_unlock(&self.lock);
}

void
ledger_thread_set_keep(int64_t keep_ms)
{
	pthread_mutex_lock(&self.lock);
	self.keep_ms = keep_ms;
	pthread_mutex_unlock(&self.lock);
}

/* lock is held; ends early at a stop or, if so asked, when someone waits
 * for a sync. */
static void
wait_ms(int64_t ms, bool until_wanted)
{
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (result == 0 && !self.is_stopping &&
	       !(until_wanted && self.is_wanted))
		result = pthread_cond_timedwait(&self.work, &self.lock, &until);
}

/*
 * Calls fn for the name of each file; best effort, because retention and
 * the choice of a letter are tried again.
 */
static int
each_name(void (*fn)(const char *name, void *arg), void *arg)
{
	int fd = file_open(self.ledger_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	int failed;

	if (folder == NULL) {
		file_shut(&fd);
		return -1;
	}
	while (errno = 0, (d = readdir(folder)) != NULL) {
		if (ledger_file_valid(d->d_name))
			fn(d->d_name, arg);
	}
	failed = errno;
	closedir(folder);
	return failed != 0 ? -1 : 0;
}

static void
remove_old(const char *name, void *arg)
{
	if (strcmp(name, arg) < 0)
		(void)unlinkat(self.ledger_fd, name, 0);
}

static void
retention(void)
{
	char least[LEDGER_NAME_SIZE];
	int64_t keep_ms;

	pthread_mutex_lock(&self.lock);
	keep_ms = self.keep_ms;
	pthread_mutex_unlock(&self.lock);
	if (keep_ms <= 0)
		return;
	ledger_file(clock_wall_us() - keep_ms * 1000, least);
	(void)each_name(remove_old, least);
}

/* Of the files of one hour the last one: arg is its name so far. */
static void
keep_last(const char *name, void *arg)
{
	char *file = arg;

	if (strncmp(name, file, HOUR_LEN) == 0 && strcmp(name, file) > 0)
		(void)str_copy(file, LEDGER_NAME_SIZE, name);
}

/* The next name of the same hour, which sorts behind all before; -1 when
 * there is none. */
static int
next_name(char file[LEDGER_NAME_SIZE])
{
	size_t len = strlen(file);

	if (len > HOUR_LEN && file[len - 1] != 'z') {
		file[len - 1]++;
		return 0;
	}
	if (len + 1 >= LEDGER_NAME_SIZE)
		return -1;
	file[len] = 'a';
	file[len + 1] = '\0';
	return 0;
}

/* The first name of an hour that was not written yet by this process. */
static int
begin_hour(const char *hour, struct err *e)
{
	retention();
	(void)str_copy(self.file, sizeof(self.file), hour);
	if (each_name(keep_last, self.file) == 0)
		return 0;
	self.file[0] = '\0';
	return err_set(e, "folder cannot be read");
}

/* Opens the file that lines of this hour go to now: never one of an
 * earlier hour than that before. */
static int
open_file(const char *hour, struct err *e)
{
	char now[LEDGER_NAME_SIZE];
	bool is_new = strncmp(self.file, hour, HOUR_LEN) < 0;

	if (!is_new && self.fd >= 0)
		return 0;
	file_shut(&self.fd);
	if (!is_new && next_name(self.file) != 0) {
		ledger_file(clock_wall_us(), now);
		if (strncmp(self.file, now, HOUR_LEN) >= 0)
			return err_set(e, "%s was the last file of its hour",
				       self.file);
		hour = now;
		is_new = true;
	}
	if (is_new && begin_hour(hour, e) != 0)
		return -1;
	/* Behind a file of another version, the hour goes on in the next. */
	do
		self.fd = ledger_open(self.ledger_fd, self.file, &self.size, e);
	while (self.fd == LEDGER_OTHER && next_name(self.file) == 0);
	if (self.fd < 0) {
		self.fd = -1;
		return -1;
	}
	if (fsync(self.ledger_fd) != 0) {
		err_sys(e, "folder: sync");
		file_shut(&self.fd);
		return -1;
	}
	return 0;
}

static int
write_lines(const struct lines *l, struct err *e)
{
	if (open_file(l->hour, e) != 0)
		return -1;
	if (file_write_all(self.fd, l->text.data, l->text.len) != 0) {
		err_sys(e, "%s: write", self.file);
	} else if (fdatasync(self.fd) != 0) {
		err_sys(e, "%s: sync", self.file);
	} else {
		self.size += l->text.len;
		return 0;
	}
	file_shut(&self.fd);
	return -1;
}

/* lock is held. */
static void
tell_result(const struct lines *l, int result, const struct err *e)
{
	struct ledger_durable *d = &self.durable;

	d->is_failing = result != 0;
	if (result == 0) {
		d->number = l->number;
		(void)str_copy(d->file, sizeof(d->file), self.file);
		d->size = self.size;
		self.waiting_bytes -= l->text.len;
	} else {
		d->failures++;
		(void)str_copy(d->why, sizeof(d->why), e->text);
	}
	wake_send(self.wake);
}

/* Until they are durable, or the end has come; lock is held. */
static void
finish_lines(struct lines *l)
{
	int64_t wait = 0;
	struct err e;
	int result;

	self.current = l;
	for (;;) {
		pthread_mutex_unlock(&self.lock);
		result = write_lines(l, &e);
		pthread_mutex_lock(&self.lock);
		tell_result(l, result, &e);
		if (result == 0 || self.is_stopping)
			break;
		/* The first failure is answered by a new file at once. */
		if (wait > 0)
			wait_ms(wait, false);
		wait = wait == 0 ? RETRY_FIRST_MS : wait * 2;
		if (wait > RETRY_MAX_MS)
			wait = RETRY_MAX_MS;
	}
	self.current = NULL;
	buf_release(&l->text);
	free(l);
}

static void *
thread_run(void *arg)
{
	struct list *n;

	(void)arg;
	pthread_mutex_lock(&self.lock);
	for (;;) {
		if (list_is_empty(&self.waiting)) {
			self.is_wanted = false;
			if (self.is_stopping)
				break;
			pthread_cond_wait(&self.work, &self.lock);
			continue;
		}
		wait_ms(LEISURE_MS, true);
		n = list_pop(&self.waiting);
		if (list_is_empty(&self.waiting))
			self.is_wanted = false;
		finish_lines(list_entry(n, struct lines, node));
	}
	pthread_mutex_unlock(&self.lock);
	file_shut(&self.fd);
	return NULL;
}

void
ledger_thread_start(int ledger_fd, struct wake *wake)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	int failed;

	self.ledger_fd = ledger_fd;
	self.wake = wake;
	self.is_stopping = self.is_wanted = false;
	self.waiting_bytes = 0;
	self.file[0] = '\0';
	memset(&self.durable, 0, sizeof(self.durable));
	list_init(&self.waiting);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&self.work, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&self.thread, NULL, thread_run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0)
		fatal(71, "ledger: thread: %s", strerror(failed));
}

void
ledger_thread_stop(void)
{
	pthread_mutex_lock(&self.lock);
	self.is_stopping = true;
	pthread_cond_broadcast(&self.work);
	pthread_mutex_unlock(&self.lock);
	pthread_join(self.thread, NULL);
	pthread_cond_destroy(&self.work);
}
