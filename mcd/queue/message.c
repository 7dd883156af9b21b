/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of messages: a treap ordered by name, because lists are shown
 * in pages and all envelopes of an ID stand side by side in it.
 */
#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "dict.h"
#include "log.h"
#include "quar.h"
#include "str.h"
#include "xalloc.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 60000

static struct {
	struct message *root;
	size_t counts[STATE_COUNT];
	int64_t bytes;
	/* The oldest in the three queues is this one or behind it. */
	char oldest[ENVELOPE_NAME_SIZE];
} self;

static bool
is_queued(const struct message *m)
{
	return !m->is_gone && m->state <= STATE_OUTGOING;
}

static void
count_in(struct message *m)
{
	if (m->is_gone)
		return;
	self.counts[m->state]++;
	if (!is_queued(m))
		return;
	self.bytes += (int64_t)m->size;
	if (strcmp(m->name, self.oldest) < 0)
		(void)str_copy(self.oldest, sizeof(self.oldest), m->name);
}

static void
count_out(struct message *m)
{
	if (m->is_gone)
		return;
	self.counts[m->state]--;
	if (is_queued(m))
		self.bytes -= (int64_t)m->size;
}

/* Parts of t below and above name. */
static void
split_at(struct message *t, const char *name, struct message **low,
	 struct message **high)
{
	while (t != NULL) {
		if (strcmp(t->name, name) < 0) {
			*low = t;
			low = &t->right;
			t = t->right;
		} else {
			*high = t;
			high = &t->left;
			t = t->left;
		}
	}
	*low = *high = NULL;
}

static struct message *
join(struct message *low, struct message *high)
{
	struct message *root = NULL, **at = &root;

	while (low != NULL && high != NULL) {
		if (low->weight > high->weight) {
			*at = low;
			at = &low->right;
			low = low->right;
		} else {
			*at = high;
			at = &high->left;
			high = high->left;
		}
	}
	*at = low != NULL ? low : high;
	return root;
}

struct message *
message_new(const char *name, enum state s)
{
	struct message *m = xcalloc(1, sizeof(*m));
	struct message **at = &self.root;

	(void)str_copy(m->name, sizeof(m->name), name);
	m->weight = (uint32_t)hash_bytes(name, strlen(name));
	m->state = (uint8_t)s;
	list_init(&m->node);
	while (*at != NULL && (*at)->weight >= m->weight) {
		if (str_eq((*at)->name, name))
			bug("%s: is in the table", name);
		at = strcmp(name, (*at)->name) < 0 ? &(*at)->left
						   : &(*at)->right;
	}
	split_at(*at, name, &m->left, &m->right);
	*at = m;
	count_in(m);
	return m;
}

void
message_learn(struct message *m, const struct envelope *env)
{
	count_out(m);
	if (m->generation < env->generation)
		m->generation = env->generation;
	m->size = env->size;
	m->received_us = env->received_us;
	m->active_ms = env->active_ms;
	m->parked_s = env->parked_s;
	m->kind = (uint8_t)quar_kind_of(env);
	m->deaths = env->deaths > UINT8_MAX ? UINT8_MAX : (uint8_t)env->deaths;
	m->is_splitting = env->child_count > 0;
	m->is_cleaned = strlen(env->body) > ENVELOPE_ID_LEN;
	m->has_null_sender = env->sender[0] == '\0';
	m->is_known = true;
	count_in(m);
}

void
message_free(struct message *m)
{
	struct message **at = &self.root;

	while (*at != m) {
		if (*at == NULL)
			bug("%s: is not in the table", m->name);
		at = strcmp(m->name, (*at)->name) < 0 ? &(*at)->left
						      : &(*at)->right;
	}
	*at = join(m->left, m->right);
	count_out(m);
	list_del(&m->node);
	free(m);
}

struct message *
message_find(const char *name)
{
	struct message *m = self.root;
	int c;

	while (m != NULL && (c = strcmp(name, m->name)) != 0)
		m = c < 0 ? m->left : m->right;
	return m;
}

struct message *
message_after(const char *name)
{
	struct message *m = self.root, *best = NULL;

	while (m != NULL) {
		if (strcmp(m->name, name) > 0) {
			best = m;
			m = m->left;
		} else {
			m = m->right;
		}
	}
	return best;
}

/* m, if name stands for it too. */
static struct message *
if_of(const char *name, struct message *m)
{
	size_t n = strlen(name);

	if (m == NULL || strncmp(m->name, name, n) != 0)
		return NULL;
	return m->name[n] == '\0' || m->name[n] == '.' ? m : NULL;
}

struct message *
message_first_of(const char *name)
{
	struct message *m = message_find(name);

	return if_of(name, m != NULL ? m : message_after(name));
}

struct message *
message_next_of(const char *name, const struct message *m)
{
	return if_of(name, message_after(m->name));
}

bool
message_has_kin(const struct message *m)
{
	char id[ENVELOPE_ID_LEN + 1];
	struct message *k;

	(void)str_fmt(id, sizeof(id), "%.*s", ENVELOPE_ID_LEN, m->name);
	for (k = message_first_of(id); k != NULL; k = message_next_of(id, k)) {
		if (k != m)
			return true;
	}
	return false;
}

void
message_set_state(struct message *m, enum state s)
{
	count_out(m);
	m->state = (uint8_t)s;
	count_in(m);
}

void
message_set_gone(struct message *m)
{
	count_out(m);
	m->is_gone = true;
}

size_t
message_count(enum state s)
{
	return self.counts[s];
}

int64_t
message_bytes(void)
{
	return self.bytes;
}

int64_t
message_oldest_us(void)
{
	struct message *m = message_find(self.oldest);

	if (m == NULL)
		m = message_after(self.oldest);
	while (m != NULL && !is_queued(m))
		m = message_after(m->name);
	if (m == NULL) {
		/* Whoever comes next is smaller. */
		(void)str_copy(self.oldest, sizeof(self.oldest), "~");
		return 0;
	}
	(void)str_copy(self.oldest, sizeof(self.oldest), m->name);
	return m->received_us;
}

int64_t
message_backoff_ms(struct message *m)
{
	int64_t wait = BACKOFF_FIRST_MS;
	int i;

	for (i = 0; i < m->tries && wait < BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (m->tries < UINT8_MAX)
		m->tries++;
	return wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
}

void
message_free_all(void)
{
	while (self.root != NULL)
		message_free(self.root);
	memset(&self, 0, sizeof(self));
}
