/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Third-party signatures for libclamav that find spam and phishing: an
 * engine of its own, so that none of them counts as a virus.
 */
#include "conf.h"
#include "engine.h"
#include "role.h"
#include "stats.h"
#include "str.h"

#define HIT_POINTS 6000

static struct engine engine = ENGINE_INIT("clamspam");

static void
prepare(const struct conf *conf)
{
	engine_prepare(&engine, conf->clamav_third_party);
}

static int
load(struct err *e)
{
	return engine_load(&engine, e);
}

static void
adopt(void)
{
	engine_adopt(&engine);
	stats_set(role_stats(), STAT_clamspam_signatures_us, engine.newest_us);
}

static bool
is_stale(void)
{
	return engine_is_stale(&engine);
}

static void
unload(void)
{
	engine_unload(&engine);
}

/* Names of signatures as names of findings, so that `mcctl rule` can give
 * one that errs other points. */
static void
make_name(char *dst, size_t size, const char *name)
{
	char *p;

	(void)str_copy(dst, size, name);
	for (p = dst; *p != '\0'; p++)
		if (!ascii_isalnum((unsigned char)*p) && *p != '.' &&
		    *p != '-' && *p != '_')
			*p = '_';
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	char name[FILTER_NAME_SIZE];
	struct clam_result r;

	/* A scan makes and removes folders, also for nothing. */
	if (engine_is_empty(&engine)) {
		out->is_known = true;
		return;
	}
	engine_scan(&engine, m, part, true, &r);
	out->is_known = r.verdict != CLAM_FAILED;
	if (r.verdict == CLAM_FAILED)
		filter_unknown(out, "%s", r.name);
	if (r.verdict != CLAM_FOUND)
		return;
	out->class = FILTER_SPAM;
	make_name(name, sizeof(name), r.name);
	(void)str_copy(out->detail, sizeof(out->detail), name);
	filter_symptom(m, out, name, HIT_POINTS, r.name);
}

const struct filter filter_clamspam = {
	.name = "clamspam",
	.prepare = prepare,
	.load = load,
	.adopt = adopt,
	.is_stale = is_stale,
	.unload = unload,
	.check = check,
};
