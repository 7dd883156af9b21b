/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * spamd is on this host or near it, but what it says has passed through a
 * message's bytes: nothing of it is believed further than its form goes.
 */
#include "spamd_report.h"

#include <string.h>

#include "str.h"

#define HEADERS_MAX 32 /* lines before the report */
#define TEMPLATE "mcgate 1 "

/* Takes a line off in, without its end; false when there is no whole one. */
static bool
next_line(struct span *in, struct span *line)
{
	const char *end = in->len > 0 ? memchr(in->p, '\n', in->len) : NULL;

	if (end == NULL)
		return false;
	line->p = in->p;
	line->len = (size_t)(end - in->p);
	in->p = end + 1;
	in->len -= line->len + 1;
	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	return true;
}

static bool
take_word(struct span *in, const char *word)
{
	size_t n = strlen(word);

	if (in->len < n || memcmp(in->p, word, n) != 0)
		return false;
	in->p += n;
	in->len -= n;
	return true;
}

/* Digits up to end of in or another byte; -1 without any, or too many. */
static int
take_digits(struct span *in, int64_t *out)
{
	size_t n;

	for (n = 0, *out = 0; n < in->len && n < 10 && ascii_isdigit(in->p[n]);
	     n++)
		*out = *out * 10 + (in->p[n] - '0');
	in->p += n;
	in->len -= n;
	return n > 0 && n < 10 ? 0 : -1;
}

/* "-1.25" as thousandths, further digits are nothing; so is what Perl
 * writes with a negative exponent. */
static int
take_points(struct span *in, int64_t *out)
{
	bool is_negative = take_word(in, "-");
	int64_t unit = 1000, exponent;

	if (take_digits(in, out) != 0 || *out > INT32_MAX)
		return -1;
	*out *= 1000;
	if (take_word(in, ".")) {
		if (in->len == 0 || !ascii_isdigit(in->p[0]))
			return -1;
		for (; in->len > 0 && ascii_isdigit(in->p[0]);
		     in->p++, in->len--)
			*out += (in->p[0] - '0') * (unit /= 10);
	}
	if (take_word(in, "e-")) {
		if (take_digits(in, &exponent) != 0)
			return -1;
		*out = 0;
	}
	if (is_negative)
		*out = -*out;
	return 0;
}

static bool
is_name_byte(char c)
{
	return ascii_isalnum(c) || c == '_';
}

static struct span
take_name(struct span *in)
{
	struct span name = { in->p, 0 };

	while (in->len > 0 && name.len <= SPAMD_NAME_MAX &&
	       is_name_byte(in->p[0])) {
		in->p++;
		in->len--;
		name.len++;
	}
	return name;
}

/* "SPAMD/1.1 0 EX_OK": the number, -1 when it is no such line. */
static int64_t
read_status(struct span line, struct err *e)
{
	int64_t major, minor, code;
	char shown[80];

	if (!take_word(&line, "SPAMD/") || take_digits(&line, &major) != 0 ||
	    !take_word(&line, ".") || take_digits(&line, &minor) != 0 ||
	    !take_word(&line, " ") || take_digits(&line, &code) != 0 ||
	    (line.len > 0 && line.p[0] != ' '))
		return err_set(e, "the answer is not one of spamd");
	if (code != 0) {
		str_printable(shown, sizeof(shown), line.p, line.len);
		return err_set(e, "spamd answers %lld%s", (long long)code,
			       shown);
	}
	return 0;
}

static int
read_length(struct span line, int64_t *length, struct err *e)
{
	while (take_word(&line, " "))
		;
	if (take_digits(&line, length) != 0 || line.len > 0)
		return err_set(e, "the answer's length is malformed");
	return 0;
}

/* The lines before the report; what is left of in is the report. */
static int
read_head(struct span *in, struct err *e)
{
	int64_t length = -1;
	struct span line, name;
	int i;

	if (!next_line(in, &line))
		return err_set(e, "the answer is cut");
	if (read_status(line, e) != 0)
		return -1;
	for (i = 0; i < HEADERS_MAX; i++) {
		if (!next_line(in, &line))
			return err_set(e, "the answer is cut");
		if (line.len == 0)
			break;
		name = (struct span){ line.p, strlen("Content-length:") };
		if (line.len < name.len ||
		    !span_ieq(name, SPAN_LIT("Content-length:")))
			continue;
		line.p += name.len;
		line.len -= name.len;
		if (read_length(line, &length, e) != 0)
			return -1;
	}
	if (i == HEADERS_MAX)
		return err_set(e, "the answer has too many header lines");
	if (length < 0)
		return err_set(e, "the answer does not say its length");
	if ((uint64_t)length > in->len)
		return err_set(e, "the answer is cut: %llu of %lld bytes",
			       (unsigned long long)in->len, (long long)length);
	if ((uint64_t)length < in->len)
		return err_set(e, "the answer is longer than it says");
	return 0;
}

static int
read_rules(struct span line, struct arena *a, struct spamd_report *out,
	   struct err *e)
{
	struct spamd_rule *r;
	struct span name;

	out->rules = arena_array(a, SPAMD_RULES_MAX, sizeof(*out->rules));
	if (line.len == 0 || span_eq(line, SPAN_LIT("none")))
		return 0;
	do {
		if (out->count == SPAMD_RULES_MAX)
			return err_set(e, "the report has too many rules");
		r = &out->rules[out->count++];
		name = take_name(&line);
		if (name.len == 0 || name.len > SPAMD_NAME_MAX ||
		    !take_word(&line, "=") ||
		    take_points(&line, &r->points) != 0)
			return err_set(e,
				       "rule %llu of the report is "
				       "malformed",
				       (unsigned long long)out->count);
		if (r->points > SPAMD_POINTS_MAX ||
		    r->points < -SPAMD_POINTS_MAX)
			return err_set(e,
				       "rule %.*s has points beyond all "
				       "sense",
				       (int)name.len, name.p);
		r->name = arena_strndup(a, name.p, name.len);
		r->note = "";
	} while (take_word(&line, ","));
	return line.len == 0 ? 0 : err_set(e, "the list of rules is malformed");
}

static int
read_first(struct span line, struct arena *a, struct spamd_report *out,
	   struct err *e)
{
	if (!take_word(&line, TEMPLATE))
		return err_set(e, "spamd's report is not mcgate's: its site "
				  "folder needs share/spamassassin/mcgate.cf");
	if (!take_word(&line, "score=") ||
	    take_points(&line, &out->score) != 0 ||
	    !take_word(&line, " required=") ||
	    take_points(&line, &out->required) != 0 ||
	    !take_word(&line, " tests="))
		return err_set(e, "the first line of the report is malformed");
	return read_rules(line, a, out, e);
}

static struct spamd_rule *
rule_of(const struct spamd_report *r, struct span name)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (strlen(r->rules[i].name) == name.len &&
		    memcmp(r->rules[i].name, name.p, name.len) == 0)
			return &r->rules[i];
	return NULL;
}

/* The rule that a line " 7.5 NAME   words" begins, NULL for none; words are
 * what is left of line. */
static struct spamd_rule *
note_begins(const struct spamd_report *r, struct span *line)
{
	struct spamd_rule *rule;
	struct span name;
	int64_t points;

	while (take_word(line, " "))
		;
	if (take_points(line, &points) != 0 || !take_word(line, " "))
		return NULL;
	name = take_name(line);
	rule = rule_of(r, name);
	return take_word(line, " ") ? rule : NULL;
}

static void
add_note(struct spamd_rule *rule, struct arena *a, struct span text)
{
	size_t had = strlen(rule->note), i;

	while (take_word(&text, " "))
		;
	for (i = 0; i < text.len; i++)
		if (text.p[i] == '\0')
			text.len = i;
	if (had + text.len > SPAMD_NOTE_MAX)
		text.len = had < SPAMD_NOTE_MAX ? SPAMD_NOTE_MAX - had : 0;
	if (text.len > 0)
		rule->note =
			arena_printf(a, "%s%s%.*s", rule->note,
				     had > 0 ? " " : "", (int)text.len, text.p);
}

/* Words only: whatever is in these lines, no points come of them. */
static void
read_notes(struct span in, struct arena *a, struct spamd_report *out)
{
	struct spamd_rule *rule = NULL, *next;
	struct span line, words;
	int lines = 0;

	while (lines++ < 4 * SPAMD_RULES_MAX && next_line(&in, &line)) {
		words = line;
		next = note_begins(out, &words);
		if (next != NULL && next->note[0] == '\0')
			add_note(rule = next, a, words);
		else if (rule != NULL && line.len > 2 && line.p[0] == ' ' &&
			 line.p[1] == ' ')
			add_note(rule, a, line);
	}
}

int
spamd_report_read(struct span in, struct arena *a, struct spamd_report *out,
		  struct err *e)
{
	struct span line;

	memset(out, 0, sizeof(*out));
	if (in.len > SPAMD_REPLY_MAX)
		return err_set(e, "the answer is too long");
	if (read_head(&in, e) != 0)
		return -1;
	if (!next_line(&in, &line))
		return err_set(e, "the report is empty");
	if (read_first(line, a, out, e) != 0)
		return -1;
	read_notes(in, a, out);
	return 0;
}

bool
spamd_is_pong(struct span in)
{
	int64_t major, minor;

	return take_word(&in, "SPAMD/") && take_digits(&in, &major) == 0 &&
	       take_word(&in, ".") && take_digits(&in, &minor) == 0 &&
	       take_word(&in, " 0 PONG");
}

void
spamd_question(struct buf *out, const char *verb, size_t size)
{
	(void)buf_printf(out, "%s SPAMC/1.5\r\nContent-length: %llu\r\n\r\n",
			 verb, (unsigned long long)size);
}
