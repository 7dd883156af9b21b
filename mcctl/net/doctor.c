/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Runs the probes one after the other and tells what they found.
 */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "str.h"

static const struct probe {
	const char *name;
	void (*run)(struct doctor *d);
	const char *what;
} probes[] = {
#define PROBE(name, fn, what) { name, fn, what },
#include "probes.def"
#undef PROBE
};
#define PROBES (sizeof(probes) / sizeof(probes[0]))

/* What is found on one line, what to do about it under it: both are words,
 * which columns would only make wide. */
static void
say_lines(struct doctor *d, const char *result, const char *found,
	  const char *todo)
{
	char line[2200];

	(void)str_fmt(line, sizeof(line), "%-7s  %-12s %s", result, d->probe,
		      found);
	out_line(&d->c->out, line);
	if (todo[0] != '\0') {
		(void)str_fmt(line, sizeof(line), "%22sto do: %s", "", todo);
		out_line(&d->c->out, line);
	}
}

void
doctor_say(struct doctor *d, enum finding f, const char *todo, const char *fmt,
	   ...)
{
	static const char *const names[] = { "ok", "note", "warning", "FAULT" };
	struct record r = { 0 };
	char text[1024], shown[1024];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	str_printable(shown, sizeof(shown), text, strlen(text));
	d->faults += f == DOCTOR_FAULT;
	if (!d->c->out.json) {
		say_lines(d, names[f], shown, todo);
		return;
	}
	record_str(&r, "probe", d->probe);
	record_str(&r, "result", names[f]);
	record_str(&r, "found", shown);
	record_str(&r, "todo", todo);
	out_row(&d->c->out, &r);
	record_release(&r);
}

int
cmd_doctor(struct ctx *c)
{
	struct doctor d = { .c = c };
	const char *known[PROBES + 1] = { NULL };
	bool is_known = c->arg_count == 0;
	size_t i;

	for (i = 0; i < PROBES; i++) {
		known[i] = probes[i].name;
		if (c->arg_count > 0 && !str_eq(c->args[0], probes[i].name))
			continue;
		is_known = true;
		d.probe = probes[i].name;
		probes[i].run(&d);
	}
	if (!is_known)
		return complain_unknown(c, "probe", c->args[0], known);
	return d.faults == 0 ? EX_OK : EX_UNAVAILABLE;
}
