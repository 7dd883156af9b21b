/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a filter is.  One file with a const struct filter, one row in
 * filters.def.  A filter detects and never decides: it says what it saw
 * and how many points that is worth; enabled, order, weight, time, size,
 * decisive and failure are knobs that the runner applies.
 *
 * A filter looks at a message at most once, whatever the number of
 * policies; its result is kept.  So it must not look at a policy.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "lists.h"
#include "setting.h"
#include "worker_spamd.h"

#define FILTER_SYMPTOMS_MAX 128 /* of one result */
#define FILTER_NAME_SIZE 64
#define FILTER_DETAIL_SIZE 160

enum filter_class { FILTER_NOTHING, FILTER_HAM, FILTER_SPAM, FILTER_VIRUS };

/* One named finding, such as a rule or a list that hit. */
struct filter_symptom {
	const char *name; /* A-Z a-z 0-9 _ . -, printable, never "" */
	int64_t points; /* thousandths; a row "rule" may replace them */
	const char *note; /* evidence for people, printable, "" */
};

/* Strings and symptoms lie in the arena of the message. */
struct filter_result {
	bool is_known; /* false: could not tell, why says so */
	/* Could not tell because what it needs is down, whatever the message:
	 * enough of these and it is left out for a while (breaker.h). */
	bool is_fault;
	enum filter_class class;
	/* Thousandths, beside those of the symptoms, before the weight. */
	int64_t points;
	/* The class is spam only where points, after rules and before the
	 * weight, come to so much; 0: to anything. */
	int64_t spam_from;
	char detail[FILTER_DETAIL_SIZE]; /* "99.97%", for people, "" */
	char why[FILTER_DETAIL_SIZE];
	struct filter_symptom *symptoms;
	size_t symptom_count;
	bool is_encrypted, is_over_limits; /* of the antivirus */
	bool is_dmarc_reject; /* the domain in From asks for its rejection */
	int64_t time_us; /* the runner's */
};

struct auth;
struct conf;
struct worker_rbl;
struct mime;
struct view;
struct worker_data;

/*
 * The message as the filters see it; all of it is the runner's and lasts
 * until the message is done.
 */
struct filter_mail {
	struct arena *arena;
	const char *name; /* queue id */
	const char *sender, *client_ip, *client_name, *helo;
	const char *auth_spf; /* what stage 1 has found, "" if not asked */
	bool is_outbound;
	bool is_peer; /* its fields with our prefix are believed */
	struct span text; /* whole, CRLF, as it came */
	struct span header; /* its header fields, with the empty line */
	struct view *view; /* texts, words and addresses, made when asked for */
	struct mime *mime; /* the view's: parts, in all readings */
	struct auth *auth; /* for auth_get() */
	const struct lists *lists; /* NULL: none have come yet */
	const struct worker_data *data;
	struct spamd_asker spamd; /* open NULL: it cannot be reached */
	struct worker_rbl *rbl; /* NULL: DNS lists cannot be asked */
	int64_t deadline_ms; /* monotonic: of the filter that is asked */
};

struct filter {
	const char *name;
	bool has_no_place; /* not one that an administrator puts in order */
	/* All but check may be NULL.  With the rights the pool was started
	 * with: opens what the jail will hide. */
	void (*prepare)(const struct conf *conf);
	/* In the pool, maybe in a thread: makes what workers are to share, and
	 * keeps it aside for adopt().  -1: what was loaded before stays; if
	 * nothing was, check() says that it cannot tell. */
	int (*load)(struct err *e);
	/* In the pool's loop, no load being under way: from now on workers
	 * that are forked have it. */
	void (*adopt)(void);
	/* Whether a load now would load something else. */
	bool (*is_stale)(void);
	void (*unload)(void);
	/* Before the first filter of a message runs, where any policy has
	 * this one on: what it wants to know of DNS lists (worker_rbl.h). */
	void (*ask)(const struct filter_mail *m);
	/* part is the beginning of the message as far as the filter's size
	 * goes.  out is cleared before. */
	void (*check)(const struct filter_mail *m, struct span part,
		      struct filter_result *out);
};

/* In the order of filters.def. */
extern const struct filter filter_antivirus;
extern const struct filter *const filter_table[];
extern const size_t filter_count;
/* The knobs of a filter by its place in the table. */
struct filter_knobs {
	bool is_on;
	int64_t order, weight, time_ms, size;
	enum decisive decisive;
	enum failure failure;
};
struct filter_knobs filter_knobs(const struct knobs *k, size_t index);

/* The pool's: each filter's prepare, load and adopt. */
void filters_prepare(const struct conf *conf);
void filters_load(void);
/* Sets of filters, bits: those that are stale; loads some and says which
 * have loaded (for a thread); adopts those. */
uint64_t filters_stale(void);
uint64_t filters_load_set(uint64_t set);
void filters_adopt_set(uint64_t set);
void filters_unload(void);

/* For check(): adds a symptom, dropped silently past the limit. */
void filter_symptom(const struct filter_mail *m, struct filter_result *out,
		    const char *name, int64_t points, const char *note);
/* For check(): could not tell. */
void filter_unknown(struct filter_result *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, and its engine or server is to blame. */
void filter_fault(struct filter_result *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
