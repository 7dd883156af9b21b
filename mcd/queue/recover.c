/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads all envelopes.  Of two with one name the higher generation is the
 * message; what cannot be read now is left where it is and tried again,
 * but a folder that cannot be read ends the start: the parent tries again;
 * what is damaged goes to corrupt.  Nothing is acted on before all that
 * was renamed or unlinked here is durable.
 */
#include "recover.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broom.h"
#include "change.h"
#include "clock.h"
#include "deliver.h"
#include "keep.h"
#include "log.h"
#include "loop.h"
#include "message.h"
#include "recover_ledger.h"
#include "recover_orphan.h"
#include "role.h"
#include "stage.h"
#include "str.h"

#define TRIES 3 /* of a read that fails, or a folder */
#define UNREAD_FIRST_MS 2000 /* until it is tried again, then twice that */
#define UNREAD_MAX_MS 60000

static struct {
	struct arena arena; /* of one envelope at a time */
	bool marked[SPOOL_FOLDERS]; /* folders that hold or held something */
	bool is_synced; /* they are durable as they are seen */
	size_t orphans, unread;
	int64_t unread_ms; /* the wait before they are tried again */
	struct timer retry; /* of what could not be read */
} self;

static void
mark(const char *name)
{
	char xx[3];

	spool_folder(name, xx);
	if (xx[0] != '\0')
		self.marked[strtoul(xx, NULL, 16) % SPOOL_FOLDERS] = true;
}

/* The one that is kept may have its name since a moment only: it is durable
 * there before the other goes. */
static void
unlink_envelope(enum state s, enum state kept, const char *name,
		const char *why)
{
	char path[SPOOL_PATH_SIZE];
	struct err e;

	if (keep_sync_folder(kept, name, &e) != 0) {
		log_warn("%s left in=%s reason=%s", name, state_name(s),
			 log_text(e.text));
		return;
	}
	spool_envelope_path(s, name, path);
	log_info("%s removed from=%s reason=%s", name, state_name(s),
		 log_text(why));
	if (unlinkat(keep_fd(), path, 0) != 0)
		log_warn("%s unlink failed path=%s", name, path);
}

/* Again, when it could not be read: one failure is no reason to wait. */
static enum envelope_result
read_envelope(enum state s, const char *name, struct envelope *env,
	      struct err *e)
{
	enum envelope_result got = ENVELOPE_LATER;
	int i;

	for (i = 0; i < TRIES && got == ENVELOPE_LATER; i++) {
		arena_clear(&self.arena);
		got = spool_read_envelope(keep_fd(), s, name, &self.arena, env,
					  e);
	}
	return got;
}

static enum body_result
check_body(const struct envelope *env, struct err *e)
{
	enum body_result got = BODY_LATER;
	int i;

	for (i = 0; i < TRIES && got == BODY_LATER; i++)
		got = keep_body_check(env, e);
	return got;
}

/* Envelopes. */

static void
enter_outgoing(struct message *m, const struct envelope *env)
{
	int64_t wait = 0, max = role_knobs()->retry_max;
	bool is_retry = false;
	size_t i;

	for (i = 0; i < env->rcpt_count && !is_retry; i++)
		is_retry = env->rcpts[i].attempts > 0;
	if (env->next_attempt_ms != 0)
		wait = env->next_attempt_ms - clock_wall_ms();
	if (wait > max)
		wait = max; /* the clock has been set */
	deliver_enter(m, env, wait > 0 ? wait : 0, is_retry);
}

/* Stays where it is, known by its name only. */
static void
leave_unread(struct message *m, const char *why)
{
	log_error("%s unread state=%s reason=%s", m->name,
		  state_name((enum state)m->state), log_text(why));
	m->is_known = false;
	m->is_busy = true;
	self.unread++;
}

/* m's envelope is env: into the table's order of things. */
static void
take_envelope(struct message *m, const struct envelope *env)
{
	struct err e;

	message_learn(m, env);
	if (env->rcpt_count == 0) {
		change_park(m, env, "has no recipient");
		return;
	}
	switch (check_body(env, &e)) {
	case BODY_BAD:
		change_park(m, env, e.text);
		return;
	case BODY_LATER:
		leave_unread(m, e.text);
		return;
	case BODY_OK:
		break;
	}
	if (m->state == STATE_OUTGOING)
		enter_outgoing(m, env);
}

/* What is known by its name, or could not be read before, is read now,
 * without harm to the envelope that it is compared with. */
static enum envelope_result
learn(struct message *m, struct err *e)
{
	enum envelope_result got = ENVELOPE_LATER;
	struct arena a = { 0 };
	struct envelope env;
	int i;

	for (i = 0; i < TRIES && got == ENVELOPE_LATER; i++)
		got = spool_read_envelope(keep_fd(), (enum state)m->state,
					  m->name, &a, &env, e);
	if (got == ENVELOPE_OK) {
		message_learn(m, &env);
		/* It may have been left until it can be read. */
		if (m->is_busy) {
			m->is_busy = false;
			take_envelope(m, &env);
		}
	}
	arena_release(&a);
	return got;
}

/* There is another of that name in s that cannot be read: which one is
 * the message is not known, so nothing is done with either. */
static void
leave_in_doubt(struct message *m, enum state s, const char *why)
{
	if (m->state == STATE_CORRUPT) {
		message_set_state(m, s);
		leave_unread(m, why);
		return;
	}
	m->ghosts |= (uint8_t)(1u << s);
	if (m->state == STATE_OUTGOING && m->groups != NULL)
		deliver_leave(m);
	leave_unread(m, why);
}

/* Another of that name is known: which one is the message? */
static void
take_double(struct message *m, enum state s, const struct envelope *env)
{
	enum envelope_result got = ENVELOPE_OK;
	struct err e;

	if (m->state != STATE_CORRUPT && !m->is_known)
		got = learn(m, &e);
	if (got == ENVELOPE_LATER) {
		leave_in_doubt(m, s, e.text);
		return;
	}
	if (got != ENVELOPE_OK)
		(void)change_park_file((enum state)m->state, m->name, e.text);
	if (got != ENVELOPE_OK || m->state == STATE_CORRUPT) {
		m->is_busy = false;
		message_set_state(m, s);
		take_envelope(m, env);
		return;
	}
	m->ghosts |= (uint8_t)(1u << m->state | 1u << s);
	if (env->generation <= m->generation) {
		unlink_envelope(s, (enum state)m->state, m->name,
				"an older generation");
		return;
	}
	unlink_envelope((enum state)m->state, s, m->name,
			"an older generation");
	if (m->state == STATE_OUTGOING && m->groups != NULL)
		deliver_leave(m);
	m->is_busy = false;
	message_set_state(m, s);
	take_envelope(m, env);
}

static void
take_bad(struct message *m, enum state s, const char *name, const char *why)
{
	if (change_park_file(s, name, why) == 0 && m == NULL)
		(void)message_new(name, STATE_CORRUPT);
}

/* "XX/FILE" in a folder of envelopes. */
static void
take_stray(enum state s, const char *stray)
{
	char path[SPOOL_PATH_SIZE + 256], name[ENVELOPE_NAME_SIZE];
	const char *file = strchr(stray, '/') + 1;
	size_t len = strlen(file);

	(void)str_fmt(path, sizeof(path), "%s/%s", state_name(s), stray);
	if (file[0] == '.' && len > 4 && str_eq(file + len - 4, ".tmp")) {
		if (unlinkat(keep_fd(), path, 0) != 0)
			log_warn("%s left", log_text(path));
		return;
	}
	/* Parked beside one of its name: its body is still needed. */
	len = strcspn(file, "~");
	if (s == STATE_CORRUPT && len < sizeof(name)) {
		(void)str_fmt(name, sizeof(name), "%.*s", (int)len, file);
		if (envelope_name_valid(name, true) &&
		    message_find(name) == NULL)
			(void)message_new(name, STATE_CORRUPT);
		return;
	}
	log_warn("stray file %s is left alone", log_text(path));
}

static int
on_envelope(void *arg, enum state s, const char *name, int is_stray)
{
	struct message *m;
	struct envelope env;
	struct err e;

	(void)arg;
	role_alive();
	if (is_stray) {
		take_stray(s, name);
		return 0;
	}
	mark(name);
	keep_seen(name);
	m = message_find(name);
	if (m != NULL && m->state == (uint8_t)s)
		return 0; /* a folder that is read again */
	if (m == NULL && (s == STATE_CORRUPT || s == STATE_QUARANTINE)) {
		(void)message_new(name, s);
		return 0;
	}
	switch (read_envelope(s, name, &env, &e)) {
	case ENVELOPE_OK:
		if (m != NULL)
			take_double(m, s, &env);
		else
			take_envelope(message_new(name, s), &env);
		break;
	case ENVELOPE_LATER:
		if (m == NULL)
			leave_unread(message_new(name, s), e.text);
		else
			leave_in_doubt(m, s, e.text);
		break;
	default:
		take_bad(m, s, name, e.text);
		break;
	}
	return 0;
}

/*
 * A folder that cannot be read may hold newer generations of what other
 * folders hold: nothing is done with a spool of which a part is unknown.
 */
static int
scan_state(enum state s, struct err *e)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (spool_scan(keep_fd(), s, on_envelope, NULL, e) == 0)
			return 0;
		log_error("spool %s", e->text);
	}
	return err_prefix(e, "spool");
}

/* Bodies. */

static bool
has_envelope(const char *id)
{
	struct message *m = message_find(id);

	if (m == NULL)
		m = message_after(id);
	return m != NULL && str_has_prefix(m->name, id);
}

static int
on_body(void *arg, const char *body, int is_stray)
{
	char path[SPOOL_PATH_SIZE + 256], id[ENVELOPE_ID_LEN + 1];

	(void)arg;
	role_alive();
	if (is_stray && self.is_synced)
		return 0; /* seen before */
	if (is_stray) {
		(void)str_fmt(path, sizeof(path), "body/%s", body);
		if (strchr(body, '/')[1] != '.')
			log_warn("stray file %s is left alone", log_text(path));
		else if (unlinkat(keep_fd(), path, 0) != 0)
			log_warn("%s left", log_text(path));
		return 0;
	}
	keep_seen(body);
	keep_id_of(body, id);
	mark(id);
	if (has_envelope(id))
		return 0;
	if (!self.is_synced && str_eq(body, id) && orphan_look(id))
		return 0;
	/* An envelope that went a moment ago may come back until then. */
	if (!self.is_synced) {
		self.orphans++;
		return 0;
	}
	broom_body(body);
	return 0;
}

static void
scan_bodies(void)
{
	struct err e;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (spool_scan_bodies(keep_fd(), on_body, NULL, &e) == 0)
			return;
		log_error("spool %s", e.text);
	}
}

/* All together. */

/* A parent's list is the truth: its children are made again. */
static void
drop_children(const struct message *parent)
{
	struct message *m;

	while ((m = message_after(parent->name)) != NULL &&
	       str_has_prefix(m->name, parent->name)) {
		if (m->state == STATE_OUTGOING && m->groups != NULL)
			deliver_leave(m);
		message_free(m);
	}
}

static bool
is_unread(const struct message *m)
{
	return !m->is_known && m->is_busy && !m->is_orphan;
}

/* Children of a parent that could not be read wait for it: it may be that
 * it has a list, and makes them again. */
static bool
waits_for_parent(const struct message *m)
{
	char id[ENVELOPE_ID_LEN + 1];
	struct message *parent;

	keep_id_of(m->name, id);
	parent = message_find(id);
	return parent != NULL && parent != m && is_unread(parent);
}

static void
leave_children(void)
{
	struct message *m;

	for (m = message_after(""); m != NULL; m = message_after(m->name)) {
		if (m->name[ENVELOPE_ID_LEN] == '\0' || m->is_busy ||
		    m->state == STATE_CORRUPT || !waits_for_parent(m))
			continue;
		if (m->state == STATE_OUTGOING && m->groups != NULL)
			deliver_leave(m);
		leave_unread(m, "its parent cannot be read");
	}
}

static void
enter_stages(void)
{
	struct message *m;

	for (m = message_after(""); m != NULL; m = message_after(m->name)) {
		if (!m->is_known || m->is_busy || m->state > STATE_FILTERING)
			continue;
		if (m->is_splitting)
			drop_children(m);
		stage_enter(m);
	}
}

/* Without the ledger it is not known what they are: then they wait once. */
static void
settle_orphans(void)
{
	char hour[LEDGER_NAME_SIZE];

	if (recover_ledger_read() != 0 && orphan_oldest(hour)) {
		log_error("bodies without envelopes wait for the ledger");
		self.unread++;
		return;
	}
	self.unread += orphan_settle(NULL);
}

static void
enter_orphan(struct message *m)
{
	recover_ledger_again(m);
	stage_enter(m);
}

static void
retry_orphans(void)
{
	orphan_look_again();
	(void)recover_ledger_orphans("~");
	self.unread += orphan_settle(enter_orphan);
}

/* Others of its name, which could not be compared with it before. */
static void
take_doubles(struct message *m)
{
	unsigned states = m->ghosts & ~(1u << m->state);
	struct envelope env;
	struct err e;
	int s;

	for (s = 0; s < STATE_COUNT && !is_unread(m); s++) {
		if ((states & 1u << s) == 0)
			continue;
		switch (read_envelope((enum state)s, m->name, &env, &e)) {
		case ENVELOPE_OK:
			take_double(m, (enum state)s, &env);
			break;
		case ENVELOPE_LATER:
			leave_in_doubt(m, (enum state)s, e.text);
			break;
		default:
			if (e.text[0] != '\0')
				take_bad(m, (enum state)s, m->name, e.text);
			break;
		}
	}
}

static void
wait_unread(void)
{
	if (self.unread == 0)
		return;
	if (self.unread_ms == 0)
		self.unread_ms = UNREAD_FIRST_MS;
	else if (self.unread_ms < UNREAD_MAX_MS / 2)
		self.unread_ms *= 2;
	else
		self.unread_ms = UNREAD_MAX_MS;
	timer_set(&self.retry, self.unread_ms);
}

/* What could not be read at the start. */
static void
retry_unread(void *arg)
{
	struct envelope env;
	struct message *m;
	struct err e;

	(void)arg;
	self.unread = 0;
	retry_orphans();
	for (m = message_after(""); m != NULL; m = message_after(m->name)) {
		if (!is_unread(m))
			continue;
		if (waits_for_parent(m)) {
			self.unread++;
			continue;
		}
		m->is_busy = false;
		switch (read_envelope((enum state)m->state, m->name, &env,
				      &e)) {
		case ENVELOPE_OK:
			message_learn(m, &env);
			recover_ledger_again(m);
			take_envelope(m, &env);
			take_doubles(m);
			if (m->is_busy || m->state > STATE_FILTERING)
				break;
			if (m->is_splitting)
				drop_children(m);
			stage_enter(m);
			break;
		case ENVELOPE_LATER:
			leave_unread(m, e.text);
			break;
		default:
			change_park(m, NULL, e.text);
			break;
		}
	}
	arena_release(&self.arena);
	wait_unread();
}

int
recover_run(struct err *e)
{
	static const enum state order[] = {
		STATE_CORRUPT,	STATE_QUARANTINE, STATE_HOLD,
		STATE_OUTGOING, STATE_FILTERING,  STATE_INCOMING,
	};
	const struct orphan_counts *bodies = orphan_counts();
	int64_t start_ms = clock_mono_ms();
	size_t i;

	memset(&self, 0, sizeof(self));
	timer_init(&self.retry, retry_unread, NULL);
	orphan_init();
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (scan_state(order[i], e) != 0)
			return -1;
	scan_bodies();
	settle_orphans();
	recover_ledger_write();
	if (keep_sync_folders(self.marked, e) != 0)
		return -1;
	self.is_synced = true;
	if (self.orphans + bodies->uncommitted + bodies->done > 0)
		scan_bodies();
	if (self.unread > 0)
		leave_children();
	enter_stages();
	arena_release(&self.arena);
	wait_unread();
	log_info("spool incoming=%zu filtering=%zu outgoing=%zu hold=%zu "
		 "quarantine=%zu corrupt=%zu uncommitted=%zu made_again=%zu "
		 "came_back=%zu unread=%zu ms=%lld",
		 message_count(STATE_INCOMING), message_count(STATE_FILTERING),
		 message_count(STATE_OUTGOING), message_count(STATE_HOLD),
		 message_count(STATE_QUARANTINE), message_count(STATE_CORRUPT),
		 self.orphans + bodies->uncommitted, bodies->made, bodies->done,
		 self.unread, (long long)(clock_mono_ms() - start_ms));
	return 0;
}

void
recover_release(void)
{
	timer_release(&self.retry);
	orphan_release();
}
