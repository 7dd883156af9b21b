/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * GTUBE, the string that stands for spam in tests: so that an administrator
 * can see a whole gateway at work without any real spam.
 */
#include <string.h>

#include "filter.h"

/* In two pieces, so that this file may be sent by mail. */
#define GTUBE_A "XJS*C4JDBQADN1.NSBN3*2IDNEN*"
#define GTUBE_B "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
#define GTUBE_POINTS 1000000

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	static const char gtube[] = GTUBE_A GTUBE_B;

	out->is_known = true;
	if (part.len == 0 ||
	    memmem(part.p, part.len, gtube, sizeof(gtube) - 1) == NULL)
		return;
	out->class = FILTER_SPAM;
	filter_symptom(m, out, "GTUBE", GTUBE_POINTS,
		       "the generic test for unsolicited bulk mail");
}

const struct filter filter_gtube = {
	.name = "gtube",
	.has_no_place = true,
	.check = check,
};
