/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How many deliveries at a time a destination gets, step by step.
 */
#include "dest.h"

#include <stddef.h>
#include <string.h>

#include "check.h"

static const struct dest_rules rules = {
	.initial = 2,
	.max = 4,
	.dead_after = 2,
	.probe_ms = 1000,
	.probe_max_ms = 6000,
};

/*
 * What happens, a letter each: t took, a answered, u unreachable, ?
 * unknown; + all that went before is told before the next begins.
 */
static const struct row {
	const char *what;
	const char *story;
	int64_t limit;
	bool is_proven, is_dead;
} rows[] = {
	{ "nothing is known", "", 2, false, false },
	{ "what says nothing changes nothing", "????", 2, false, false },
	{ "a success proves it", "t", 2, true, false },
	{ "a round of successes is one more", "tt", 3, true, false },
	{ "the next takes a round more", "ttttt", 4, true, false },
	{ "no more than its limit", "ttttttttttttttttt", 4, true, false },
	{ "to be answered proves it, and does not grow", "aaaaaaa", 2, true,
	  false },
	{ "a failure is half", "tt+u", 1, false, false },
	{ "side by side they are one", "tttttt+uuuuu", 2, false, false },
	{ "two in a row are the death", "u+u", 1, false, true },
	{ "none of whom may be answered", "u+a+u", 1, false, false },
	{ "or take a message", "u+t+u", 1, false, false },
	{ "what is unknown does not part them", "u+?+u", 1, false, true },
	{ "an answer revives it, as if it were new", "tttttt+u+u+a", 2, true,
	  false },
	{ "probes that fail leave it dead", "u+u+u+u", 1, false, true },
};

static void
play(const struct row *r, struct dest_load *l, unsigned *revivals)
{
	static const char letters[] = "tau?";
	int64_t now = 1, started = 1;
	enum dest_change change;
	const char *p;

	memset(l, 0, sizeof(*l));
	for (p = r->story; *p != '\0'; p++) {
		if (*p == '+') {
			started = ++now;
			continue;
		}
		change = dest_load_take(
			l, &rules,
			(enum dest_result)(strchr(letters, *p) - letters),
			dest_load_limit(l, &rules), started, ++now);
		*revivals += change == DEST_REVIVED;
	}
}

int
main(void)
{
	struct dest_rules never = rules;
	struct dest_load l;
	unsigned revivals = 0;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		play(&rows[i], &l, &revivals);
		CHECK_INT(dest_load_limit(&l, &rules), rows[i].limit,
			  "%s: its limit", rows[i].what);
		CHECK(l.is_proven == rows[i].is_proven &&
			      l.is_dead == rows[i].is_dead,
		      "%s: what is thought of it", rows[i].what);
	}
	CHECK_INT(revivals, 1, "it is told once that it lives again");
	play(&rows[9], &l, &revivals);
	CHECK_INT(dest_load_probe_wait(&l, &rules), 1000, "the first probe");
	(void)dest_load_take(&l, &rules, DEST_UNREACHABLE, 1, 90, 91);
	CHECK_INT(dest_load_probe_wait(&l, &rules), 2000, "the second");
	(void)dest_load_take(&l, &rules, DEST_UNREACHABLE, 1, 2, 92);
	CHECK_INT(dest_load_probe_wait(&l, &rules), 2000,
		  "what began before its death is no probe");
	for (i = 0; i < 9; i++)
		(void)dest_load_take(&l, &rules, DEST_UNREACHABLE, 1, 93, 94);
	CHECK_INT(dest_load_probe_wait(&l, &rules), 6000, "the last");
	never.dead_after = 0;
	memset(&l, 0, sizeof(l));
	for (i = 1; i < 100; i++)
		(void)dest_load_take(&l, &never, DEST_UNREACHABLE, 1,
				     (int64_t)(2 * i), (int64_t)(2 * i + 1));
	CHECK(!l.is_dead, "with 0 it never dies");
	return check_done();
}
