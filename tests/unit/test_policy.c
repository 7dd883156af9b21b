/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A snapshot of settings.db: which value holds for whom, and that a row
 * which makes no sense harms no other.
 */
#include "policy.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "buf.h"
#include "check.h"
#include "dbroom.h"
#include "str.h"

#define LOAD_DOMAINS 10000
#define LOAD_MS 100 /* in an optimized build without sanitizers */

static struct err e;
static struct buf told; /* warnings, a line each */

static void
warn(const char *text)
{
	buf_printf(&told, "%s\n", text);
}

struct row {
	const char *kind, *key, *value;
};

static void
put_rows(struct db *db, const struct row *rows, size_t count)
{
	size_t i;

	if (db_begin(db, "test", &e) != DB_OK)
		exit(EXIT_FAILURE);
	for (i = 0; i < count; i++)
		if (db_put(db, rows[i].kind, rows[i].key, rows[i].value, &e) !=
		    DB_OK)
			exit(EXIT_FAILURE);
	if (db_commit(db, &e) != DB_OK)
		exit(EXIT_FAILURE);
}

static struct db *
new_db(const struct row *rows, size_t count)
{
	struct db *db = dbroom_open(dbroom_new());

	put_rows(db, rows, count);
	return db;
}

static struct policy *
load(const struct row *rows, size_t count)
{
	struct db *db = new_db(rows, count);
	struct policy *p;

	buf_clear(&told);
	p = policy_load(db, warn, &e);
	db_close(db);
	if (p == NULL)
		exit(EXIT_FAILURE);
	return p;
}

#define LOAD(rows) load(rows, sizeof(rows) / sizeof((rows)[0]))

static const struct row good[] = {
	{ "domain", "a.example", "" },
	{ "domain", "b.example", "" },
	{ "domain", "alias.example", "a.example" },
	{ "domain", "alias2.example", "alias.example" },
	{ "domain", "plain.example", "" },
	{ "dest", "a.example mx2.a.example:25", "20" },
	{ "dest", "a.example mx1.a.example:2525", "10" },
	{ "dest", "a.example [2001:db8::1]:25", "10" },
	{ "dest", "b.example 192.0.2.1:25", "0" },
	{ "smarthost", "smart2.example:587", "5" },
	{ "smarthost", "[2001:db8::2]:25", "1" },
	{ "setting", "global id_header", "yes" },
	{ "setting", "global filter_window", "50" },
	{ "setting", "domain b.example id_header", "no" },
	{ "setting", "domain b.example dest_concurrency", "3" },
	{ "setting", "domain b.example rcpt_detail_folds", "no" },
	{ "setting", "user joe@b.example id_header", "yes" },
	{ "setting", "user joe@a.example hold_mail", "yes" },
	{ "setting", "user joe+x@b.example hold_mail", "yes" },
	{ "setting", "user \"j d\"@a.example hold_mail", "yes" },
	{ "of next year", "x", "y" },
};

static void
check_smarthosts(const struct policy *p)
{
	size_t count;
	const struct policy_dest *d = policy_smarthosts(p, &count);

	if (!CHECK_INT(count, 2, "smarthosts"))
		return;
	CHECK_STR(d[0].host, "2001:db8::2", "the best first");
	CHECK_STR(d[1].host, "smart2.example", "then the others");
	CHECK_INT(d[1].port, 587, "with their ports");
}

static void
check_domains(const struct policy *p)
{
	const struct policy_domain *d = policy_domain(p, "a.example");

	if (!CHECK(d != NULL, "a domain is found"))
		return;
	CHECK_STR(d->name, "a.example", "by its name");
	CHECK_STR(d->alias_of, "", "no alias");
	CHECK_INT(d->dest_count, 3, "with its destinations");
	CHECK_STR(d->dests[0].host, "2001:db8::1", "an address, the first");
	CHECK_STR(d->dests[1].host, "mx1.a.example", "as good as a name");
	CHECK_INT(d->dests[1].port, 2525, "with its port");
	CHECK_INT(d->dests[2].priority, 20, "the worst is last");
	CHECK(policy_domain(p, "alias.example") == d, "an alias is followed");
	CHECK(policy_domain(p, "alias2.example") == d, "and its alias");
	d = policy_domain(p, "plain.example");
	CHECK(d != NULL && d->dest_count == 0, "a domain without destinations");
	CHECK(policy_domain(p, "c.example") == NULL, "a domain of others");
	CHECK(policy_domain(p, "") == NULL, "no domain");
	d = policy_first_domain(p);
	CHECK(d != NULL && str_eq(d->name, "a.example"),
	      "the first of them is no alias");
}

static const struct {
	const char *words;
	const char *address;
	const char *knob;
	int64_t value;
	unsigned level;
	const char *subject;
} values[] = {
	{ "nothing said: the default", "x@a.example", "retry_first", 300000, 0,
	  "" },
	{ "global", "", "id_header", 1, LEVEL_GLOBAL, "" },
	{ "global for a domain", "@a.example", "id_header", 1, LEVEL_GLOBAL,
	  "" },
	{ "global for a user", "x@a.example", "id_header", 1, LEVEL_GLOBAL,
	  "" },
	{ "a domain before global", "@b.example", "id_header", 0, LEVEL_DOMAIN,
	  "b.example" },
	{ "a domain for its user", "x@b.example", "id_header", 0, LEVEL_DOMAIN,
	  "b.example" },
	{ "a user before the domain", "joe@b.example", "id_header", 1,
	  LEVEL_USER, "joe@b.example" },
	{ "a user in capitals", "Joe@B.Example.", "id_header", 1, LEVEL_USER,
	  "joe@b.example" },
	{ "a quoted user", "\"joe\"@b.example", "id_header", 1, LEVEL_USER,
	  "joe@b.example" },
	{ "detail is not folded here", "joe+y@b.example", "id_header", 0,
	  LEVEL_DOMAIN, "b.example" },
	{ "so it has its own", "joe+x@b.example", "hold_mail", 1, LEVEL_USER,
	  "joe+x@b.example" },
	{ "detail is folded there", "joe+x@a.example", "hold_mail", 1,
	  LEVEL_USER, "joe@a.example" },
	{ "the user of an alias", "joe@alias2.example", "hold_mail", 1,
	  LEVEL_USER, "joe@a.example" },
	{ "a user with a space", "\"J D\"@a.example", "hold_mail", 1,
	  LEVEL_USER, "\"j d\"@a.example" },
	{ "an address of others", "joe@c.example", "hold_mail", 0, 0, "" },
	{ "what is no address", "joe", "id_header", 1, LEVEL_GLOBAL, "" },
	{ "one without a domain", "joe@", "id_header", 1, LEVEL_GLOBAL, "" },
};

static void
check_values(const struct policy *p)
{
	struct policy_origin o;
	const struct knob *k;
	struct knobs all;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		k = knob_find(values[i].knob, NULL);
		o = policy_effective(p, k, values[i].address);
		CHECK_INT(o.value.number, values[i].value, "%s",
			  values[i].words);
		CHECK_INT(o.level, values[i].level, "%s: level",
			  values[i].words);
		CHECK_STR(o.subject, values[i].subject, "%s: whose",
			  values[i].words);
		policy_knobs(p, values[i].address, &all);
		CHECK_INT(knobs_get(&all, k).number, values[i].value,
			  "%s: the same among all", values[i].words);
	}
	CHECK_INT(policy_global(p)->filter_window, 50, "the global knobs");
	CHECK_INT(policy_global(p)->dest_concurrency, 20,
		  "do not have a domain's");
	policy_knobs(p, "joe@b.example", &all);
	CHECK(all.dest_concurrency == 3 && all.filter_window == 50 &&
		      all.id_header == 1,
	      "all knobs of a user: from three levels");
}

static void
check_keys(const struct policy *p)
{
	static const struct {
		const char *words, *address;
		const char *want; /* NULL: refused */
	} rows[] = {
		{ "the null path", "", "" },
		{ "a domain alone", "@A.example", "@a.example" },
		{ "lower case", "Joe.Doe@A.EXAMPLE", "joe.doe@a.example" },
		{ "an alias", "joe@alias.example", "joe@a.example" },
		{ "detail", "joe+a+b@a.example", "joe@a.example" },
		{ "only detail", "+joe@a.example", "+joe@a.example" },
		{ "detail where it does not fold", "joe+a@b.example",
		  "joe+a@b.example" },
		{ "detail of others folds as global says", "joe+a@c.example",
		  "joe@c.example" },
		{ "detail in quotes", "\"joe+a\"@a.example", "joe@a.example" },
		{ "quotes that are needed", "\"a b+c\"@a.example",
		  "\"a b+c\"@a.example" },
		{ "an escape that is not", "\"a\\b\"@a.example",
		  "ab@a.example" },
		{ "an at in quotes", "\"a@b\"@a.example", "\"a@b\"@a.example" },
		{ "two dots need quotes", "\"a..b\"@a.example",
		  "\"a..b\"@a.example" },
		{ "empty quotes stay", "\"\"@a.example", "\"\"@a.example" },
		{ "beyond ASCII", "J\xc3\x96@a.example",
		  "j\xc3\xb6@a.example" },
		{ "a literal", "joe@[192.0.2.1]", "joe@[192.0.2.1]" },
		{ "no at", "joe", NULL },
		{ "no domain", "joe@", NULL },
		{ "a space in the domain", "joe@a example", NULL },
	};
	char key[ADDRESS_TEXT_SIZE];
	char longer[400];
	size_t i;
	int rc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rc = policy_key(p, rows[i].address, key, &e);
		CHECK_STR(rc == 0 ? key : NULL, rows[i].want, "%s",
			  rows[i].words);
	}
	memset(longer, 'x', sizeof(longer));
	str_copy(longer + 380, 20, "@a.example");
	CHECK_INT(policy_key(p, longer, key, &e), -1, "too long");
}

static void
check_bad_rows(void)
{
	static const struct row rows[] = {
		{ "dest", "a.example mx.a.example:25", "0" },
		{ "dest", "a.example mx.a.example", "0" },
		{ "dest", "a.example mx.a.example:26", "-1" },
		{ "dest", "a.example mx.a.example:27", "first" },
		{ "dest", "gone.example mx.a.example:25", "0" },
		{ "dest", "nothing", "0" },
		{ "dest", "not.a..name mx.a.example:25", "0" },
		{ "domain", "a..example", "" },
		{ "domain", "A.example", "" },
		{ "domain", "a.example", "" },
		{ "domain", "alias.example", "c.example" },
		{ "domain", "not a name", "" },
		{ "domain", "other.example", "a.example" },
		{ "domain", "self.example", "self.example" },
		{ "domain", "x.example", "X X" },
		{ "setting", "domain a.example filter_window", "5" },
		{ "setting", "domain a.example no_such", "5" },
		{ "setting", "domain c.example id_header", "yes" },
		{ "setting", "domain other.example id_header", "yes" },
		{ "setting", "global", "yes" },
		{ "setting", "global id_header", "maybe" },
		{ "setting", "domain", "yes" },
		{ "setting", "planet x id_header", "yes" },
		{ "setting", "user Joe@a.example id_header", "yes" },
		{ "setting", "user joe@a.example id_header", "yes" },
		{ "setting", "user joe@c.example id_header", "yes" },
	};
	struct policy *p = LOAD(rows);
	const struct policy_domain *d = policy_domain(p, "a.example");

	CHECK(d != NULL && d->dest_count == 1, "the good rows are there");
	CHECK_INT(policy_effective(p, knob_find("id_header", NULL),
				   "joe@a.example")
			  .level,
		  LEVEL_USER, "also the good setting");
	CHECK(policy_domain(p, "alias.example") == NULL,
	      "an alias of others is not ours");
	CHECK(policy_domain(p, "self.example") == NULL, "nor one of itself");
	CHECK(policy_domain(p, "gone.example") == NULL,
	      "nor what has destinations alone");
	CHECK(strstr(buf_str(&told), "domain \"gone.example\" has "
				     "destinations, but is not there") != NULL,
	      "which is told");
	CHECK(strstr(buf_str(&told), "filter_window is not for one domain") !=
		      NULL,
	      "a knob on the wrong level is told");
	CHECK(strstr(buf_str(&told), "no_such\": not known") != NULL,
	      "so is an unknown one");
	CHECK(strstr(buf_str(&told), "\nand 2 more of this kind\n") != NULL,
	      "what is told has an end");
	policy_free(p);
}

static void
check_alias_chain(void)
{
	static struct row rows[11];
	static char names[11][32];
	struct policy *p;
	int i;

	for (i = 0; i < 11; i++) {
		str_fmt(names[i], sizeof(names[i]), "d%d.example", i);
		rows[i].kind = "domain";
		rows[i].key = names[i];
		rows[i].value = i > 0 ? names[i - 1] : "";
	}
	p = LOAD(rows);
	CHECK(policy_domain(p, "d8.example") != NULL, "eight aliases in a row");
	CHECK(policy_domain(p, "d9.example") == NULL, "nine are too many");
	CHECK(strstr(buf_str(&told),
		     "domain \"d9.example\": its alias leads to no domain of "
		     "ours") != NULL,
	      "which is told");
	policy_free(p);
}

static void
check_dests(void)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} rows[] = {
		{ "mx.example.org:25", "mx.example.org", 25 },
		{ "MX:65535", "mx", 65535 },
		{ "192.0.2.1:1", "192.0.2.1", 1 },
		{ "[2001:DB8::1]:25", "2001:db8::1", 25 },
		{ "2001:db8::1:25", NULL, 0 },
		{ "[2001:db8::1]", NULL, 0 },
		{ "[2001:db8::1:25", NULL, 0 },
		{ "[mx.example.org]:25", NULL, 0 },
		{ "192.0.2.256:25", NULL, 0 },
		{ "mx.example.org", NULL, 0 },
		{ "mx.example.org:", NULL, 0 },
		{ "mx.example.org:0", NULL, 0 },
		{ "mx.example.org:65536", NULL, 0 },
		{ "mx.example.org:+25", NULL, 0 },
		{ "mx example.org:25", NULL, 0 },
		{ ":25", NULL, 0 },
		{ "[]:25", NULL, 0 },
		{ "", NULL, 0 },
	};
	char host[POLICY_HOST_SIZE];
	uint16_t port;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		port = 0;
		rc = policy_dest_parse(rows[i].text, host, &port, &e);
		CHECK_STR(rc == 0 ? host : NULL, rows[i].host, "\"%s\"",
			  rows[i].text);
		CHECK_INT(port, rows[i].port, "\"%s\": port", rows[i].text);
	}
}

#ifdef __has_feature
#define IS_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define IS_CLANG_ASAN 0
#endif
#if IS_CLANG_ASAN || defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define MEASURED false
#else
#define MEASURED true
#endif

/* Of this process, whatever else the machine does. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* 10,000 domains with a destination and two settings each. */
static void
check_many(void)
{
	struct db *db = new_db(NULL, 0);
	int64_t best = INT64_MAX, start, took;
	struct policy *p = NULL;
	char key[128], dest[128];
	int i;

	db_begin(db, "test", &e);
	for (i = 0; i < LOAD_DOMAINS; i++) {
		str_fmt(key, sizeof(key), "d%d.example", i);
		db_put(db, "domain", key, "", &e);
		str_fmt(dest, sizeof(dest), "%s mx.%s:25", key, key);
		db_put(db, "dest", dest, "0", &e);
		str_fmt(key, sizeof(key), "domain d%d.example id_header", i);
		db_put(db, "setting", key, "yes", &e);
		str_fmt(key, sizeof(key), "domain d%d.example dest_concurrency",
			i);
		db_put(db, "setting", key, "5", &e);
	}
	CHECK_INT(db_commit(db, &e), DB_OK, "10,000 domains are put");
	for (i = 0; i < 5; i++) {
		policy_free(p);
		start = cpu_us();
		p = policy_load(db, warn, &e);
		took = cpu_us() - start;
		best = took < best ? took : best;
	}
	printf("# loaded in %lld us\n", (long long)best);
	CHECK(p != NULL && policy_domain(p, "d9999.example") != NULL,
	      "they are loaded");
	if (MEASURED)
		CHECK(best < LOAD_MS * 1000, "in less than %d ms", LOAD_MS);
	policy_free(p);
	db_close(db);
}

static void
check_empty(void)
{
	struct policy *p = load(NULL, 0);
	struct knobs k;

	policy_knobs(p, "joe@a.example", &k);
	CHECK_INT(k.filter_window, 1000, "an empty file: defaults");
	CHECK(policy_domain(p, "a.example") == NULL, "no domain is ours");
	CHECK(policy_first_domain(p) == NULL, "so there is no first");
	CHECK_STR(buf_str(&told), "", "nothing is told");
	policy_free(p);
	policy_free(NULL);
}

int
main(void)
{
	struct policy *p;

	dbroom_begin();
	p = LOAD(good);
	CHECK_STR(buf_str(&told), "", "good rows need no warning");
	check_domains(p);
	check_smarthosts(p);
	check_values(p);
	check_keys(p);
	policy_free(p);
	check_bad_rows();
	check_alias_chain();
	check_dests();
	check_many();
	check_empty();
	buf_release(&told);
	CHECK_INT(dbroom_end(), 0, "the folders are removed");
	return check_done();
}
