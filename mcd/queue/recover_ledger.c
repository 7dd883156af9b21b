/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A message is accepted without waiting for its ledger lines, so a crash
 * may lose the last of them.  Only the end can be lost: messages older
 * than the last files are not looked for.
 */
#include "recover_ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "file.h"
#include "intake.h"
#include "keep.h"
#include "ledger.h"
#include "log.h"
#include "message.h"
#include "recover_orphan.h"
#include "role.h"
#include "spool.h"
#include "str.h"

#define FILES 3 /* the last ones, which are read */

static struct {
	char files[FILES][LEDGER_NAME_SIZE]; /* the greatest, sorted */
	char from[LEDGER_NAME_SIZE]; /* the first that was read */
	bool is_read;
	size_t bad;
	char last[ENVELOPE_NAME_SIZE]; /* of whom the last line is */
	size_t last_lines; /* accepted lines at the very end, all its own */
} self;

static void
add_file(const char *name)
{
	int i;

	if (strcmp(name, self.files[0]) <= 0)
		return;
	for (i = 0; i < FILES - 1 && strcmp(name, self.files[i + 1]) > 0; i++)
		(void)str_copy(self.files[i], LEDGER_NAME_SIZE,
			       self.files[i + 1]);
	(void)str_copy(self.files[i], LEDGER_NAME_SIZE, name);
}

static int
find_files(void)
{
	int fd = file_open(keep_ledger_fd(), ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	int failed;

	memset(&self, 0, sizeof(self));
	if (folder == NULL) {
		file_shut(&fd);
		return -1;
	}
	while (errno = 0, (d = readdir(folder)) != NULL) {
		if (ledger_file_valid(d->d_name))
			add_file(d->d_name);
	}
	failed = errno;
	closedir(folder);
	return failed != 0 ? -1 : 0;
}

static void
account(const char *name)
{
	struct message *m = message_find(name);

	if (m != NULL)
		m->is_accounted = true;
	if (strlen(name) != ENVELOPE_ID_LEN)
		return;
	/* The children of a message are accepted with it. */
	while ((m = message_after(m != NULL ? m->name : name)) != NULL &&
	       str_has_prefix(m->name, name))
		m->is_accounted = true;
}

static int
on_event(void *arg, const struct ledger_event *ev)
{
	(void)arg;
	role_alive();
	keep_seen(ev->name);
	orphan_event(ev);
	if (ev->verb != LEDGER_ACCEPTED || !str_eq(self.last, ev->name))
		self.last_lines = 0;
	(void)str_copy(self.last, sizeof(self.last), ev->name);
	if (ev->verb == LEDGER_ACCEPTED) {
		self.last_lines++;
		account(ev->name);
	}
	return 0;
}

static void
on_bad(void *arg, const char *file, uint64_t line, const char *why)
{
	(void)arg;
	if (self.bad++ == 0)
		log_error("ledger %s line=%llu damaged reason=%s", file,
			  (unsigned long long)line, log_text(why));
}

/* Accepted in or after the hour of the first file that was read. */
static bool
is_recent(const struct message *m, const char *from)
{
	char hour[LEDGER_NAME_SIZE];
	struct id_parts parts;
	int64_t at_us = m->received_us;

	if (!m->is_known) {
		if (id_parse(m->name, &parts) != 0)
			return false;
		at_us = parts.wall_us;
	}
	ledger_file(at_us, hour);
	return strncmp(hour, from, strlen(hour)) >= 0;
}

static bool
write_again(struct message *m, struct arena *a)
{
	struct envelope env;
	struct err e;

	arena_clear(a);
	if (spool_read_envelope(keep_fd(), (enum state)m->state, m->name, a,
				&env, &e) != ENVELOPE_OK)
		return false;
	if (str_eq(m->name, self.last) && env.rcpt_count <= self.last_lines)
		return false; /* they are all there */
	log_debug("%s accepted lines are written again", m->name);
	intake_ledger(&env, true);
	return true;
}

void
recover_ledger_again(struct message *m)
{
	struct arena arena = { 0 };

	if (!m->is_accounted && is_recent(m, self.from))
		(void)write_again(m, &arena);
	arena_release(&arena);
}

static int
on_older_event(void *arg, const struct ledger_event *ev)
{
	(void)arg;
	role_alive();
	orphan_event(ev);
	return 0;
}

int
recover_ledger_orphans(const char *before)
{
	char from[LEDGER_NAME_SIZE];
	struct err e;

	if (!orphan_oldest(from) || strcmp(from, before) >= 0)
		return 0;
	if (ledger_each(keep_ledger_fd(), from, on_older_event, NULL, NULL,
			&e) == 0)
		return 0;
	log_error("%s", e.text);
	return -1;
}

int
recover_ledger_read(void)
{
	const char *from;
	int i, result = 0;
	struct err e;

	if (find_files() != 0) {
		log_error("ledger folder: %s", strerror(errno));
		return -1;
	}
	for (i = 0; i < FILES - 1 && self.files[i][0] == '\0'; i++)
		;
	from = self.files[i];
	(void)str_copy(self.from, sizeof(self.from), from);
	self.is_read = true;
	if (from[0] == '\0')
		return 0;
	if (ledger_each(keep_ledger_fd(), from, on_event, on_bad, NULL, &e) !=
	    0) {
		log_error("%s", e.text);
		result = -1;
	}
	/* Most have their results in what was read: older files are for
	 * those that were long on their way. */
	if (recover_ledger_orphans(from) != 0)
		result = -1;
	return result;
}

void
recover_ledger_write(void)
{
	struct arena arena = { 0 };
	struct message *m;
	size_t again = 0;

	if (!self.is_read)
		return;
	/* The last message's lines may have been cut between recipients. */
	m = self.last_lines > 0 ? message_find(self.last) : NULL;
	if (m != NULL)
		m->is_accounted = false;
	if (self.bad > 0)
		log_error("ledger damaged_lines=%zu", self.bad);
	for (m = message_after(""); m != NULL; m = message_after(m->name)) {
		if (!m->is_accounted && !m->is_orphan &&
		    is_recent(m, self.from))
			again += write_again(m, &arena);
	}
	if (again > 0)
		log_info("ledger messages_written_again=%zu", again);
	arena_release(&arena);
}
