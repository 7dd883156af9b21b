/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Answers of spamd: what is read is within its limits, and a cut answer is
 * never a whole one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spamd_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_rule(const struct spamd_rule *r)
{
	if (r->name[0] == '\0' || strlen(r->name) > SPAMD_NAME_MAX ||
	    strlen(r->note) > SPAMD_NOTE_MAX + 1 ||
	    strpbrk(r->note, "\n") != NULL || r->points > SPAMD_POINTS_MAX ||
	    r->points < -SPAMD_POINTS_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct arena a = { 0 };
	struct spamd_report r;
	struct err e;
	size_t i;

	(void)spamd_is_pong(in);
	if (spamd_report_read(in, &a, &r, &e) == 0) {
		if (r.count > SPAMD_RULES_MAX)
			abort();
		for (i = 0; i < r.count; i++)
			check_rule(&r.rules[i]);
		in.len--;
		if (spamd_report_read(in, &a, &r, &e) == 0)
			abort();
	} else if (e.text[0] == '\0') {
		abort();
	}
	arena_release(&a);
	return 0;
}
