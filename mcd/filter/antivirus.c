/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The antivirus: libclamav with the signatures that freshclam keeps, on the
 * whole message and on each of its parts, in every reading there is.  What
 * it cannot look into and what passes its limits are findings of their own.
 */
#include "conf.h"
#include "engine.h"
#include "mime.h"
#include "role.h"
#include "stats.h"
#include "str.h"

static struct engine engine = ENGINE_INIT("antivirus");

static void
prepare(const struct conf *conf)
{
	engine_prepare(&engine, conf->clamav_dir);
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
	stats_set(role_stats(), STAT_av_signatures_us, engine.newest_us);
	stats_set(role_stats(), STAT_av_loaded_us, engine.adopted_us);
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

/* Adds what one scan has found; whether there is more to look for. */
static bool
take(const struct filter_mail *m, const struct clam_result *r,
     struct filter_result *out)
{
	switch (r->verdict) {
	case CLAM_FOUND:
		out->class = FILTER_VIRUS;
		(void)str_copy(out->detail, sizeof(out->detail), r->name);
		return false;
	case CLAM_ENCRYPTED:
		if (!out->is_encrypted)
			filter_symptom(m, out, "ENCRYPTED", 0, r->name);
		out->is_encrypted = true;
		return true;
	case CLAM_LIMITS:
		if (!out->is_over_limits)
			filter_symptom(m, out, "LIMITS_EXCEEDED", 0, r->name);
		out->is_over_limits = true;
		return true;
	case CLAM_FAILED:
		filter_unknown(out, "%s", r->name);
		return false;
	default:
		return true;
	}
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	struct clam_result r;
	size_t i;

	out->is_known = true;
	engine_scan(&engine, m, part, true, &r);
	if (!take(m, &r, out))
		return;
	/* What libclamav reads otherwise, or not at all. */
	for (i = 0; i < m->mime->part_count; i++) {
		const struct mime_part *p = &m->mime->parts[i];

		if (!p->is_leaf || p->data.len == 0)
			continue;
		engine_scan(&engine, m, p->data, false, &r);
		if (!take(m, &r, out))
			return;
	}
	if (part.len < m->text.len && !out->is_over_limits) {
		out->is_over_limits = true;
		filter_symptom(m, out, "LIMITS_EXCEEDED", 0,
			       "larger than the antivirus is given");
	}
}

const struct filter filter_antivirus = {
	.name = "antivirus",
	.has_no_place = true,
	.prepare = prepare,
	.load = load,
	.adopt = adopt,
	.is_stale = is_stale,
	.unload = unload,
	.check = check,
};
