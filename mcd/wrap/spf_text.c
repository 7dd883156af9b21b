/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SPF results in words.  Apart from spf.c, so that a role which only
 * passes them on does not link libspf2.
 */
#include <string.h>

#include "spf.h"
#include "str.h"

static const char *const names[SPF_RESULTS] = {
	"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror",
};

const char *
spf_name(enum spf_result r)
{
	return names[r];
}

int
spf_parse_name(struct span name, enum spf_result *out)
{
	size_t i;

	for (i = 0; i < SPF_RESULTS; i++) {
		if (span_ieq(name, span_of(names[i]))) {
			*out = (enum spf_result)i;
			return 0;
		}
	}
	return -1;
}

void
spf_explain(const struct spf *s, const char *client_ip, char *dst, size_t size)
{
	static const char *const says[SPF_RESULTS] = {
		[SPF_NEUTRAL] = "says nothing about",
		[SPF_PASS] = "lets its mail be sent by",
		[SPF_FAIL] = "does not let its mail be sent by",
		[SPF_SOFTFAIL] = "does not expect its mail from",
	};
	const char *domain = s->domain[0] != '\0' ? s->domain : "the sender";

	if (says[s->result] != NULL)
		(void)str_fmt(dst, size, "%s %s %s (%s)", domain,
			      says[s->result], client_ip, s->mechanism);
	else
		(void)str_fmt(dst, size, "%s: %s", domain, s->problem);
}

void
spf_write(const struct spf *s, char *dst, size_t size)
{
	bool has_mechanism = s->mechanism[0] != '\0';

	/* What does not fit is the end of a text for people. */
	(void)str_fmt(dst, size, "%s %s %s %s", spf_name(s->result),
		      s->is_helo ? "helo" : "mailfrom",
		      s->domain[0] != '\0' ? s->domain : "-",
		      has_mechanism ? s->mechanism : s->problem);
}

static struct span
take_word(const char **line)
{
	struct span word = { *line, strcspn(*line, " ") };

	*line += word.len;
	*line += **line == ' ';
	return word;
}

int
spf_read(const char *line, struct spf *out)
{
	struct span word;

	memset(out, 0, sizeof(*out));
	if (spf_parse_name(take_word(&line), &out->result) != 0)
		return -1;
	word = take_word(&line);
	out->is_helo = span_eq(word, SPAN_LIT("helo"));
	if (!out->is_helo && !span_eq(word, SPAN_LIT("mailfrom")))
		return -1;
	word = take_word(&line);
	if (word.len == 0 || word.len >= sizeof(out->domain))
		return -1;
	if (!span_eq(word, SPAN_LIT("-")))
		memcpy(out->domain, word.p, word.len);
	switch (out->result) {
	case SPF_NONE:
	case SPF_TEMPERROR:
	case SPF_PERMERROR:
		(void)str_copy(out->problem, sizeof(out->problem), line);
		break;
	default:
		(void)str_copy(out->mechanism, sizeof(out->mechanism), line);
	}
	return 0;
}
