/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A function for each source of names.  settings.db is read by who has a
 * right to it, as all commands do.
 */
#include "offer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "asking.h"
#include "envelope.h"
#include "file.h"
#include "lists.h"
#include "rights.h"
#include "setting.h"
#include "spool.h"
#include "str.h"

#define IDS_MAX 200
#define ASK_MS 500

/* Nothing in it means anything to a shell. */
static bool
is_plain(const char *word)
{
	for (; *word != '\0'; word++)
		if (!ascii_isalnum((unsigned char)*word) &&
		    strchr("._@:+=/,-%[]", *word) == NULL)
			return false;
	return true;
}

void
offer(struct offers *o, const char *word, const char *help)
{
	if (!str_has_prefix(word, o->typed) || !is_plain(word) ||
	    o->count >= OFFERS_MAX)
		return;
	printf("%s%s%s%s\n", o->prefix, word, help[0] != '\0' ? "\t" : "",
	       help);
	o->count++;
}

typedef void source_fn(struct offers *o, const char *kind);

static bool
has_conf(struct offers *o)
{
	if (!o->has_conf && !o->has_failed) {
		o->has_conf =
			conf_read(o->c->conf_path, &o->c->conf, NULL) == 0;
		o->has_failed = !o->has_conf;
	}
	return o->has_conf;
}

static bool
has_db(struct offers *o)
{
	if (o->c->db != NULL)
		return true;
	if (!has_conf(o) || o->has_failed ||
	    rights_become(&o->c->conf, o->c->conf.user_main, NULL) < 0 ||
	    db_open(o->c->conf.lib_dir, false, o->c->conf.node, &o->c->db,
		    NULL) != DB_OK)
		o->has_failed = true;
	return o->c->db != NULL;
}

static int
offer_key(void *arg, const char *kind, const char *key, const char *value)
{
	struct offers *o = arg;

	(void)kind, (void)value;
	offer(o, key, "");
	return o->count >= OFFERS_MAX;
}

static void
offer_keys(struct offers *o, const char *kind)
{
	if (has_db(o))
		(void)db_each(o->c->db, kind, offer_key, o, NULL);
}

/* Of a key "LEVEL SUBJECT NAME" the name. */
static int
offer_key_name(void *arg, const char *kind, const char *key, const char *value)
{
	char copy[DB_KEY_MAX + 1];
	const char *level, *subject, *name;

	str_copy(copy, sizeof(copy), key);
	lists_key(copy, &level, &subject, &name);
	return offer_key(arg, kind, name, value);
}

static void
offer_scoped(struct offers *o, const char *kinds)
{
	char kind[32];
	size_t len;

	for (; *kinds != '\0'; kinds += len + (kinds[len] == ' ')) {
		len = strcspn(kinds, " ");
		str_fmt(kind, sizeof(kind), "%.*s", (int)len, kinds);
		if (has_db(o))
			(void)db_each(o->c->db, kind, offer_key_name, o, NULL);
	}
}

/* A user who has settings. */
static int
offer_user(void *arg, const char *kind, const char *key, const char *value)
{
	char copy[DB_KEY_MAX + 1];
	const char *level, *subject, *name;

	str_copy(copy, sizeof(copy), key);
	lists_key(copy, &level, &subject, &name);
	return str_eq(level, "user") ? offer_key(arg, kind, subject, value) : 0;
}

static void
offer_addresses(struct offers *o, const char *kind)
{
	(void)kind;
	if (has_db(o)) {
		(void)db_each(o->c->db, "setting", offer_user, o, NULL);
		(void)db_each(o->c->db, "rcpt", offer_key, o, NULL);
	}
}

static void
offer_settings(struct offers *o, const char *kind)
{
	(void)kind;
	for (size_t i = 0; i < knob_count; i++)
		offer(o, knob_table[i].name, knob_table[i].help);
}

/* "spam" of the setting spam_action. */
static void
offer_actions(struct offers *o, const char *kind)
{
	char word[64];

	(void)kind;
	for (size_t i = 0; i < knob_count; i++) {
		const char *end = strstr(knob_table[i].name, "_action");

		if (end == NULL || end[sizeof("_action") - 1] != '\0')
			continue;
		str_fmt(word, sizeof(word), "%.*s",
			(int)(end - knob_table[i].name), knob_table[i].name);
		offer(o, word, knob_table[i].help);
	}
}

static void
offer_words(struct offers *o, const char *words)
{
	char word[64];
	size_t len;

	for (; *words != '\0'; words += len + (words[len] == '|')) {
		len = strcspn(words, "|");
		str_fmt(word, sizeof(word), "%.*s", (int)len, words);
		offer(o, word, "");
	}
}

/* Values of the setting before it, or of a filter's: "filter set F on". */
static void
offer_values(struct offers *o, const char *kind)
{
	char name[128], text[KNOB_TEXT_SIZE];
	struct knob_value dflt;
	const struct knob *k;

	/* Names and values by turns. */
	if ((str_eq(o->command->family, "setting") && o->arg_count % 2 == 0) ||
	    (str_eq(o->command->family, "user") && o->arg_count % 2 == 1)) {
		offer_settings(o, kind);
		return;
	}
	if (str_eq(o->command->family, "filter") && o->arg_count == 2)
		str_fmt(name, sizeof(name), "filter_%s%s%s", o->args[0],
			str_eq(o->args[1], "on") ? "" : "_",
			str_eq(o->args[1], "on") ? "" : o->args[1]);
	else if (str_eq(o->command->family, "action") && o->arg_count == 1)
		str_fmt(name, sizeof(name), "%s_action", o->args[0]);
	else
		str_copy(name, sizeof(name),
			 o->arg_count > 0 ? o->args[o->arg_count - 1] : "");
	k = knob_find(name, NULL);
	if (k == NULL)
		return;
	if (k->type == KNOB_TYPE_ENUM) {
		offer_words(o, k->words);
	} else if (k->type == KNOB_TYPE_BOOL) {
		offer_words(o, "yes|no");
	} else {
		dflt = knob_default(k);
		knob_text(k, &dflt, text, sizeof(text));
		offer(o, text, "default");
	}
}

static void
offer_filters(struct offers *o, const char *kind)
{
	(void)kind;
#define FILTER(name, on, order, ms, size, decisive, failure, summary) \
	offer(o, #name, summary);
#include "filters.def"
#undef FILTER
}

static void
offer_states(struct offers *o, const char *kind)
{
	(void)kind;
	for (int s = 0; s < STATE_COUNT; s++)
		offer(o, state_name((enum state)s), "");
}

static void
offer_probes(struct offers *o, const char *kind)
{
	(void)kind;
#define PROBE(name, function, what) offer(o, name, what);
#include "probes.def"
#undef PROBE
}

static int
offer_row_id(void *arg, const struct value *values, size_t count,
	     struct span encoded)
{
	const struct value *id = record_find(values, count, "id");
	struct offers *o = arg;

	(void)encoded;
	if (id != NULL)
		offer(o, id->str, "");
	return o->count >= IDS_MAX;
}

static int
offer_id(void *arg, enum state s, const char *name, int is_stray)
{
	struct offers *o = arg;

	(void)s;
	if (!is_stray)
		offer(o, name, "");
	return o->count >= IDS_MAX;
}

/* While mcd is down: who may read the spool. */
static void
offer_spool_ids(struct offers *o, bool is_quarantine)
{
	int fd;

	if (rights_become(&o->c->conf, o->c->conf.user_queue, NULL) < 0)
		return;
	fd = file_open(AT_FDCWD, o->c->conf.spool_dir, O_RDONLY | O_DIRECTORY,
		       0);
	for (int s = 0; fd >= 0 && s < STATE_COUNT; s++)
		if ((s == STATE_QUARANTINE) == is_quarantine &&
		    s != STATE_CORRUPT)
			(void)spool_scan(fd, (enum state)s, offer_id, o, NULL);
	file_shut(&fd);
}

static void
offer_ids(struct offers *o, const char *kind)
{
	bool is_quarantine = str_eq(o->command->family, "quarantine");
	const struct asking_sink sink = { .row = offer_row_id, .arg = o };
	struct asking *a;
	int code;

	(void)kind;
	if (!has_conf(o))
		return;
	a = asking_open(&o->c->conf, &code, NULL);
	if (a == NULL) {
		offer_spool_ids(o, is_quarantine);
		return;
	}
	asking_set_wait(a, ASK_MS);
	(void)asking_run(a, is_quarantine ? "quarantine-list" : "queue-list",
			 "", &sink, NULL);
	asking_close(a);
}

/* The shell knows them. */
static void
offer_files(struct offers *o, const char *kind)
{
	(void)o, (void)kind;
	printf(":files\n");
}

static void
offer_nothing(struct offers *o, const char *kind)
{
	(void)o, (void)kind;
}

static const struct name_source {
	const char *name;
	source_fn *fn;
	const char *kind;
} sources[] = {
#define SOURCE(name, fn, kind) { name, fn, kind },
#include "complete.def"
#undef SOURCE
};

static const struct name_source *
find_source(const char *name)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (str_eq(sources[i].name, name))
			return &sources[i];
	return NULL;
}

bool
offer_knows(const char *name)
{
	return find_source(name) != NULL;
}

/* What `relay delete` takes is what `relay add` made. */
static bool
is_of_family(const struct command *cmd)
{
	static const char kinds[] =
		" domain smarthost relay peer rcpt rbl trusted ";
	char word[40];

	str_fmt(word, sizeof(word), " %s ", cmd->family);
	return strstr(kinds, word) != NULL &&
	       (str_eq(cmd->verb, "delete") || str_eq(cmd->verb, "set") ||
		str_eq(cmd->verb, "show"));
}

void
offer_names(struct offers *o, const char *name)
{
	const struct name_source *s = find_source(name);

	if (is_of_family(o->command) && o->arg_count == 0)
		offer_keys(o, o->command->family);
	else if (s != NULL)
		s->fn(o, s->kind);
}
