/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading the lines of a decision.  They have been through a worker that
 * looked at mail, a frame and a file: nothing about them is believed.
 */
#include "explanation.h"

#include <string.h>

#include "points.h"
#include "str.h"

/* The next word off the line; NULL where there is none. */
static const char *
next_word(struct span *line, struct arena *a)
{
	const char *space;
	size_t len;
	char *word;

	if (line->len == 0)
		return NULL;
	space = memchr(line->p, ' ', line->len);
	len = space != NULL ? (size_t)(space - line->p) : line->len;
	word = arena_strndup(a, line->p, len);
	line->p += len;
	line->len -= len;
	if (line->len > 0) {
		line->p++;
		line->len--;
	}
	return word;
}

static int
next_points(struct span *line, struct arena *a, int64_t *out)
{
	const char *word = next_word(line, a);

	return word != NULL ? points_parse(word, out, NULL) : -1;
}

static int
next_number(struct span *line, struct arena *a, int64_t *out)
{
	const char *word = next_word(line, a);

	return word != NULL ? str_to_i64(word, out, NULL) : -1;
}

static int
next_text(struct span *line, struct arena *a, const char **out)
{
	const char *word = next_word(line, a);

	if (word == NULL || word[0] == '\0')
		return -1;
	*out = word;
	return 0;
}

static int
read_sum(struct span line, struct arena *a, struct explained *out)
{
	if (next_points(&line, a, &out->points) != 0 ||
	    next_points(&line, a, &out->threshold) != 0 ||
	    next_text(&line, a, &out->class) != 0)
		return -1;
	return next_text(&line, a, &out->action);
}

static void
read_setting(struct span line, struct arena *a, struct explained *out)
{
	struct explained_setting set;

	if (out->setting_count == EXPLANATION_SETTINGS ||
	    next_text(&line, a, &set.name) != 0 ||
	    next_text(&line, a, &set.level) != 0)
		return;
	set.value = arena_strndup(a, line.p, line.len);
	out->settings[out->setting_count++] = set;
}

static void
read_step(struct span line, struct arena *a, struct explained *out)
{
	struct explained_step *s = &out->steps[out->step_count];

	memset(s, 0, sizeof(*s));
	if (next_text(&line, a, &s->filter) != 0 ||
	    next_number(&line, a, &s->place) != 0 ||
	    next_points(&line, a, &s->points) != 0 ||
	    next_points(&line, a, &s->weight) != 0 ||
	    next_number(&line, a, &s->time_us) != 0 ||
	    next_text(&line, a, &s->class) != 0 ||
	    next_text(&line, a, &s->did) != 0)
		return;
	s->detail = arena_strndup(a, line.p, line.len);
	out->step_count++;
}

static void
read_rule(struct span line, struct arena *a, struct explained *out)
{
	struct explained_rule r;
	struct explained_step *s;

	if (out->step_count == 0)
		return;
	s = &out->steps[out->step_count - 1];
	if (s->rule_count == EXPLANATION_RULES ||
	    next_text(&line, a, &r.name) != 0 ||
	    next_points(&line, a, &r.points) != 0 ||
	    next_points(&line, a, &r.own) != 0)
		return;
	r.note = arena_strndup(a, line.p, line.len);
	s->rules[s->rule_count++] = r;
}

/* The next whole line of text; false behind the last. */
static bool
next_line(const char **text, struct span *line)
{
	const char *end = strchr(*text, '\n');

	if (end == NULL)
		return false;
	*line = (struct span){ *text, (size_t)(end - *text) };
	*text = end + 1;
	return true;
}

static bool
takes_word(struct span *line, const char *word)
{
	size_t len = strlen(word);

	if (line->len <= len || memcmp(line->p, word, len) != 0 ||
	    line->p[len] != ' ')
		return false;
	line->p += len + 1;
	line->len -= len + 1;
	return true;
}

int
explanation_read(const char *text, struct arena *a, struct explained *out,
		 struct err *e)
{
	struct span line;

	memset(out, 0, sizeof(*out));
	out->class = out->action = "";
	if (!next_line(&text, &line) || !takes_word(&line, "sum") ||
	    read_sum(line, a, out) != 0)
		return err_set(e, "the explanation is not one of ours");
	while (next_line(&text, &line) && out->step_count < EXPLANATION_STEPS) {
		if (takes_word(&line, "setting"))
			read_setting(line, a, out);
		else if (takes_word(&line, "step"))
			read_step(line, a, out);
		else if (takes_word(&line, "rule"))
			read_rule(line, a, out);
	}
	return 0;
}

int
explanation_sum(const char *text, int64_t *points, int64_t *threshold)
{
	struct explained sum;
	struct arena a = { 0 };
	struct span line;
	int rc = -1;

	if (next_line(&text, &line) && line.len < 200 &&
	    takes_word(&line, "sum"))
		rc = read_sum(line, &a, &sum);
	if (rc == 0) {
		*points = sum.points;
		*threshold = sum.threshold;
	}
	arena_release(&a);
	return rc;
}
