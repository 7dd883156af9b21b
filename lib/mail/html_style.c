/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Styles in attributes; style sheets are not read.
 */
#include "html_style.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

#define STYLE_MAX 1024 /* bytes of one attribute that are read */

struct color_name {
	const char *name;
	int rgb;
};

static const struct color_name color_names[] = {
	{ "white", 0xffffff },	    { "black", 0x000000 },
	{ "red", 0xff0000 },	    { "green", 0x008000 },
	{ "blue", 0x0000ff },	    { "yellow", 0xffff00 },
	{ "gray", 0x808080 },	    { "silver", 0xc0c0c0 },
	{ "snow", 0xfffafa },	    { "ivory", 0xfffff0 },
	{ "whitesmoke", 0xf5f5f5 },
};

static int
hex_color(const char *p)
{
	int digits = 0, value = 0;

	for (; digits < 6 && *p != '\0'; p++, digits++) {
		int c = ascii_lower((unsigned char)*p);

		if (ascii_isdigit(c))
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else
			break;
	}
	if (digits == 6)
		return value;
	if (digits != 3)
		return STYLE_UNKNOWN;
	return (value >> 8 & 15) * 0x110000 + (value >> 4 & 15) * 0x1100 +
	       (value & 15) * 0x11;
}

/* rgb(1,2,3) without blanks. */
static int
rgb_color(const char *p)
{
	int value = 0, i;
	char *end;

	for (i = 0; i < 3; i++) {
		long n = strtol(p, &end, 10);

		if (end == p || n < 0 || n > 255)
			return STYLE_UNKNOWN;
		value = value << 8 | (int)n;
		p = end + (*end == ',');
	}
	return value;
}

static int
color(const char *p)
{
	size_t i;

	if (*p == '#')
		return hex_color(p + 1);
	if (strncmp(p, "rgb(", 4) == 0)
		return rgb_color(p + 4);
	if (strncmp(p, "rgba(", 5) == 0)
		return rgb_color(p + 5);
	for (i = 0; i < sizeof(color_names) / sizeof(color_names[0]); i++)
		if (strcmp(p, color_names[i].name) == 0)
			return color_names[i].rgb;
	return STYLE_UNKNOWN;
}

/* "0", "1px", "0.5pt": pixels, more or less. */
static int
length(const char *p)
{
	char *end;
	long n = strtol(p, &end, 10);

	if (end == p && *p != '.')
		return STYLE_UNKNOWN;
	if (n < 0 || n > 1000)
		return STYLE_UNKNOWN;
	while (*end == '.' || ascii_isdigit((unsigned char)*end))
		end++;
	/* 1em is a line, 100% is as it was. */
	if (n > 0 && (strncmp(end, "em", 2) == 0 ||
		      strncmp(end, "rem", 3) == 0 || *end == '%'))
		return STYLE_UNKNOWN;
	if (n == 0 && strncmp(p, "0.", 2) == 0 && *end == 'e')
		return STYLE_UNKNOWN;
	return (int)n;
}

static bool
is_nothing(const char *p)
{
	return strtod(p, NULL) == 0.0 && (*p == '0' || *p == '.');
}

static void
declaration(const char *name, const char *value, struct style *s)
{
	if (strcmp(name, "display") == 0)
		s->is_hidden |= strncmp(value, "none", 4) == 0;
	else if (strcmp(name, "visibility") == 0)
		s->is_hidden |= strncmp(value, "hidden", 6) == 0;
	else if (strcmp(name, "opacity") == 0)
		s->is_hidden |= is_nothing(value);
	else if (strcmp(name, "max-height") == 0 ||
		 strcmp(name, "max-width") == 0)
		s->is_hidden |= length(value) == 0;
	else if (strcmp(name, "font-size") == 0)
		s->size = length(value);
	else if (strcmp(name, "color") == 0)
		s->color = color(value);
	else if (strcmp(name, "background") == 0 ||
		 strcmp(name, "background-color") == 0)
		s->background = color(value);
}

/* The attribute in lower case without blanks. */
static void
squeeze(struct span in, char *out, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < in.len && n + 1 < size; i++)
		if ((unsigned char)in.p[i] > ' ')
			out[n++] = (char)ascii_lower((unsigned char)in.p[i]);
	out[n] = '\0';
}

static void
read_style(struct span value, struct style *s)
{
	char text[STYLE_MAX];
	char *p, *next, *colon;

	squeeze(value, text, sizeof(text));
	for (p = text; p != NULL; p = next) {
		next = strchr(p, ';');
		if (next != NULL)
			*next++ = '\0';
		colon = strchr(p, ':');
		if (colon == NULL)
			continue;
		*colon = '\0';
		declaration(p, colon + 1, s);
	}
}

static void
read_color(const struct html_attr *a, int *out)
{
	char text[64];

	if (a == NULL)
		return;
	squeeze(a->value, text, sizeof(text));
	*out = color(text);
	if (*out == STYLE_UNKNOWN)
		*out = hex_color(text);
}

void
style_of(const struct html_token *t, struct style *s)
{
	const struct html_attr *a = html_attr(t, "style");

	if (html_attr(t, "hidden") != NULL)
		s->is_hidden = true;
	/* An image over the colour may be any. */
	if (html_attr(t, "background") != NULL)
		s->background = STYLE_UNKNOWN;
	read_color(html_attr(t, "bgcolor"), &s->background);
	if (strcmp(t->name, "font") == 0 || strcmp(t->name, "body") == 0)
		read_color(strcmp(t->name, "font") == 0 ? html_attr(t, "color")
							: html_attr(t, "text"),
			   &s->color);
	/* A link has a colour of its own. */
	if (strcmp(t->name, "a") == 0)
		s->color = STYLE_UNKNOWN;
	if (a != NULL)
		read_style(a->value, s);
}

bool
style_same_color(const struct style *s)
{
	int shift, distance = 0;

	if (s->color == STYLE_UNKNOWN || s->background == STYLE_UNKNOWN)
		return false;
	for (shift = 0; shift < 24; shift += 8)
		distance += abs((s->color >> shift & 255) -
				(s->background >> shift & 255));
	return distance < 24;
}

bool
style_hides(const struct style *s)
{
	return s->is_hidden || (s->size >= 0 && s->size <= 2) ||
	       style_same_color(s);
}
