/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Each orphan is in the table of messages while it is looked into, so
 * that its body is kept and its accepted lines are seen.
 */
#include "recover_orphan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broom.h"
#include "change.h"
#include "dict.h"
#include "file.h"
#include "keep.h"
#include "list.h"
#include "log.h"
#include "message.h"
#include "role.h"
#include "spool.h"
#include "str.h"
#include "unnamed.h"
#include "xalloc.h"

#define TRIES 3 /* of a read that fails */

enum finding {
	FOUND_LATER, /* not read yet */
	FOUND_NONE, /* no trailer */
	FOUND_MAIL, /* read and sealed */
	FOUND_DAMAGED, /* was not all on the disk, or is damaged */
	FOUND_FOREIGN /* whole, but not sealed by us, or of a newer version */
};

struct target {
	const char *address;
	bool is_done;
};

struct orphan {
	struct list node;
	struct message *m;
	enum finding finding;
	struct err why;
	struct target *targets;
	size_t count, left;
};

static struct {
	struct list all;
	struct dict by_id;
	struct arena arena; /* of one envelope at a time */
	struct orphan_counts counts;
	char synced[3]; /* the last folder of bodies that was synced */
	void (*enter)(struct message *m);
} self;

void
orphan_init(void)
{
	memset(&self, 0, sizeof(self));
	list_init(&self.all);
}

static void
orphan_free(struct orphan *o)
{
	size_t i;

	for (i = 0; i < o->count; i++)
		free((void *)(uintptr_t)o->targets[i].address);
	free(o->targets);
	(void)dict_del(&self.by_id, o->m->name);
	list_del(&o->node);
	free(o);
}

void
orphan_release(void)
{
	while (!list_is_empty(&self.all))
		orphan_free(list_entry(self.all.next, struct orphan, node));
	dict_release(&self.by_id, NULL);
	arena_release(&self.arena);
}

/* Reading. */

/* Opens a body, -1 with e. */
static int
open_body(const char *id, uint64_t *size, struct err *e)
{
	char path[SPOOL_PATH_SIZE];
	struct stat st;
	int fd;

	spool_body_path(id, path);
	fd = file_open(keep_fd(), path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		return fd;
	}
	err_sys(e, "%s", path);
	file_shut(&fd);
	return -1;
}

static enum finding
read_once(const char *id, struct envelope *env, struct err *e)
{
	enum finding found = FOUND_LATER;
	struct sealed s;

	arena_clear(&self.arena);
	s.fd = open_body(id, &s.size, e);
	if (s.fd < 0)
		return errno == ENOENT ? FOUND_NONE : FOUND_LATER;
	switch (spool_read_sealed(&s, &self.arena, env, e)) {
	case TRAILER_NONE:
		found = FOUND_NONE;
		break;
	case TRAILER_NEWER:
		found = FOUND_FOREIGN;
		break;
	case TRAILER_OK:
		if (s.result == ENVELOPE_LATER)
			break;
		if (s.result == ENVELOPE_NEWER)
			found = FOUND_FOREIGN;
		else if (s.result == ENVELOPE_BAD || !str_eq(env->name, id))
			found = FOUND_DAMAGED;
		else if (!trailer_is_sealed(keep_key(), s.text, &s.trailer))
			found = FOUND_FOREIGN;
		else
			found = FOUND_MAIL;
		if (found == FOUND_FOREIGN && s.result == ENVELOPE_OK)
			err_set(e, "its trailer is not sealed by us");
		break;
	}
	file_shut(&s.fd);
	return found;
}

static enum finding
read_orphan(const char *id, struct envelope *env, struct err *e)
{
	enum finding found = FOUND_LATER;
	int i;

	for (i = 0; i < TRIES && found == FOUND_LATER; i++)
		found = read_once(id, env, e);
	return found;
}

static void
take_targets(struct orphan *o, const struct envelope *env)
{
	size_t i;

	o->targets = xcalloc(env->rcpt_count + 1, sizeof(*o->targets));
	o->count = o->left = env->rcpt_count;
	for (i = 0; i < env->rcpt_count; i++)
		o->targets[i].address = xstrdup(env->rcpts[i].address);
}

bool
orphan_look(const char *id)
{
	struct envelope env;
	struct orphan *o;
	enum finding found;
	struct err e = { "" };

	found = read_orphan(id, &env, &e);
	if (found == FOUND_NONE)
		return false;
	o = xcalloc(1, sizeof(*o));
	o->m = message_new(id, STATE_INCOMING);
	o->m->is_busy = o->m->is_orphan = true;
	o->finding = found;
	o->why = e;
	if (found == FOUND_MAIL)
		take_targets(o, &env);
	list_push(&self.all, &o->node);
	(void)dict_set(&self.by_id, id, o);
	return true;
}

/* The ledger. */

static bool
is_final(enum ledger_verb v)
{
	return v == LEDGER_DELIVERED || v == LEDGER_BOUNCED ||
	       v == LEDGER_DISCARDED || v == LEDGER_DELETED;
}

void
orphan_event(const struct ledger_event *ev)
{
	char id[ENVELOPE_ID_LEN + 1];
	struct orphan *o;
	size_t i;

	if (self.by_id.count == 0 || !is_final(ev->verb))
		return;
	keep_id_of(ev->name, id);
	o = dict_get(&self.by_id, id);
	for (i = 0; o != NULL && i < o->count; i++) {
		if (o->targets[i].is_done ||
		    !str_eq(o->targets[i].address, ev->rcpt))
			continue;
		o->targets[i].is_done = true;
		o->left--;
		return;
	}
}

bool
orphan_oldest(char hour[LEDGER_NAME_SIZE])
{
	const struct orphan *o;
	const char *oldest = NULL;
	struct id_parts parts;
	struct list *n;

	list_for(n, &self.all)
	{
		o = list_entry(n, struct orphan, node);
		if (o->left > 0 &&
		    (oldest == NULL || strcmp(o->m->name, oldest) < 0))
			oldest = o->m->name;
	}
	if (oldest == NULL || id_parse(oldest, &parts) != 0)
		return false;
	ledger_file(parts.wall_us, hour);
	return true;
}

/* What becomes of it. */

/* 1 whole, 0 not, -1 it cannot be read now. */
static int
check_body(const char *id, uint64_t size, uint32_t want, struct err *e)
{
	uint64_t file_size;
	int fd = open_body(id, &file_size, e), result;

	if (fd < 0)
		return -1;
	result = unnamed_has_sum(fd, size, want);
	if (result < 0)
		err_sys(e, "body of %s", id);
	file_shut(&fd);
	role_alive();
	return result;
}

/* A process that died may have written it without a sync: what is made of
 * it now is durable, and so is it.  All bodies of its folder were there
 * before the first was looked at. */
static int
make_durable(const char *id, int fd, struct err *e)
{
	char xx[3];

	if (fdatasync(fd) != 0)
		return err_sys(e, "body of %s: sync", id);
	spool_folder(id, xx);
	if (str_eq(xx, self.synced))
		return 0;
	if (keep_sync_body_folder(id, e) != 0)
		return -1;
	(void)str_copy(self.synced, sizeof(self.synced), xx);
	return 0;
}

static int
make_link(const char *id, enum state s, struct err *e)
{
	char body[SPOOL_PATH_SIZE], path[SPOOL_PATH_SIZE];

	spool_body_path(id, body);
	spool_envelope_path(s, id, path);
	if (linkat(keep_fd(), body, keep_fd(), path, 0) == 0 || errno == EEXIST)
		return 0;
	return err_sys(e, "%s: link", path);
}

/* Those who are left get an envelope of their own, durable at once. */
static int
write_rest(const struct orphan *o, struct envelope *env, struct err *e)
{
	struct commit_file f = { .fd = -1 };
	size_t i, kept = 0;
	int result;

	for (i = 0; i < env->rcpt_count; i++) {
		if (!o->targets[i].is_done)
			env->rcpts[kept++] = env->rcpts[i];
	}
	env->rcpt_count = kept;
	env->generation++;
	result = change_file(&f, env, STATE_INCOMING, e);
	if (result == 0) {
		(void)unlinkat(keep_fd(), f.tmp, 0);
		f.fd = file_open(keep_fd(), f.tmp, O_WRONLY | O_CREAT | O_EXCL,
				 0600);
		if (f.fd < 0 ||
		    file_write_all(f.fd, f.text.data, f.text.len) != 0 ||
		    fdatasync(f.fd) != 0 ||
		    renameat(keep_fd(), f.tmp, keep_fd(), f.path) != 0)
			result = err_sys(e, "%s", f.path);
	}
	if (result == 0)
		result = keep_sync_folder(STATE_INCOMING, env->name, e);
	file_shut(&f.fd);
	buf_release(&f.text);
	return result;
}

/* Its body is of no use. */
static void
drop(struct orphan *o)
{
	struct message *m = o->m;

	if (self.enter != NULL)
		broom_body(m->name);
	orphan_free(o);
	message_free(m);
}

/* The body cannot be what was answered 250: it was never durable, unless
 * the ledger has it as accepted. */
static int
settle_bad(struct orphan *o)
{
	struct message *m = o->m;
	struct err e;

	if (o->finding == FOUND_DAMAGED && !m->is_accounted) {
		log_debug("%s uncommitted reason=%s", m->name,
			  log_text(o->why.text));
		self.counts.uncommitted++;
		drop(o);
		return 0;
	}
	if (make_link(m->name, STATE_CORRUPT, &e) != 0) {
		log_error("%s unread reason=%s", m->name, log_text(e.text));
		return -1;
	}
	log_error("%s parked from=body reason=%s", m->name,
		  log_text(o->why.text));
	stats_add(role_stats(), STAT_parked, 1);
	m->is_busy = m->is_orphan = false;
	orphan_free(o);
	message_set_state(m, STATE_CORRUPT);
	return 0;
}

static int
settle_mail(struct orphan *o)
{
	struct message *m = o->m;
	struct envelope env;
	struct sealed s;
	int whole = -1, result;
	struct err e;

	arena_clear(&self.arena);
	s.fd = open_body(m->name, &s.size, &e);
	if (s.fd >= 0 &&
	    spool_read_sealed(&s, &self.arena, &env, &e) == TRAILER_OK &&
	    s.result == ENVELOPE_OK && env.rcpt_count == o->count)
		whole = check_body(m->name, env.size, s.trailer.body_crc, &e);
	if (whole > 0 && make_durable(m->name, s.fd, &e) != 0)
		whole = -1;
	file_shut(&s.fd);
	if (whole == 0) {
		o->finding = FOUND_DAMAGED;
		err_set(&o->why, "its body is not what was committed");
		return settle_bad(o);
	}
	result = whole;
	if (whole > 0)
		result = o->left == o->count
				 ? make_link(m->name, STATE_INCOMING, &e)
				 : write_rest(o, &env, &e);
	if (result != 0) {
		log_error("%s unread state=incoming reason=%s", m->name,
			  log_text(e.text));
		return -1;
	}
	self.counts.made++;
	log_info("%s made again from its body rcpts=%zu of=%zu", m->name,
		 o->left, o->count);
	m->is_busy = m->is_orphan = false;
	message_learn(m, &env);
	orphan_free(o);
	if (self.enter != NULL)
		self.enter(m);
	return 0;
}

/* Everybody has what he was to have: the body came back. */
static void
settle_done(struct orphan *o)
{
	log_debug("%s came back, all was done", o->m->name);
	self.counts.done++;
	drop(o);
}

size_t
orphan_settle(void (*enter)(struct message *m))
{
	struct list *n, *next;
	struct orphan *o;
	size_t late = 0;

	self.enter = enter;
	self.synced[0] = '\0';
	list_for_safe(n, next, &self.all)
	{
		o = list_entry(n, struct orphan, node);
		role_alive();
		if (o->finding == FOUND_LATER) {
			log_error("%s unread state=incoming reason=%s",
				  o->m->name, log_text(o->why.text));
			late++;
		} else if (o->finding != FOUND_MAIL) {
			late += settle_bad(o) != 0;
		} else if (o->left == 0) {
			settle_done(o);
		} else {
			late += settle_mail(o) != 0;
		}
	}
	return late;
}

void
orphan_look_again(void)
{
	struct list *n;
	struct envelope env;
	struct orphan *o;

	list_for(n, &self.all)
	{
		o = list_entry(n, struct orphan, node);
		if (o->finding != FOUND_LATER)
			continue;
		o->finding = read_orphan(o->m->name, &env, &o->why);
		if (o->finding == FOUND_NONE)
			o->finding = FOUND_DAMAGED;
		if (o->finding == FOUND_MAIL)
			take_targets(o, &env);
	}
}

const struct orphan_counts *
orphan_counts(void)
{
	return &self.counts;
}
