/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists of our own, in the form of those of commands.
 */
#include "made.h"

#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "knob_groups.h"
#include "setting.h"
#include "str.h"

#define GROUPS_MAX 64

struct count {
	char group[64];
	int64_t all, changed;
};

struct counts {
	struct count rows[GROUPS_MAX];
	int count;
};

static struct count *
count_of(struct counts *c, const char *group)
{
	for (int i = 0; i < c->count; i++)
		if (str_eq(c->rows[i].group, group))
			return &c->rows[i];
	if (c->count == GROUPS_MAX)
		return &c->rows[GROUPS_MAX - 1];
	str_copy(c->rows[c->count].group, sizeof(c->rows[0].group), group);
	return &c->rows[c->count++];
}

/* A line of `setting list`. */
static void
count_line(struct counts *c, struct span line, const char *level)
{
	const struct json_node *name, *from;
	struct json j = { 0 };
	struct count *k;
	char group[64];

	if (json_read(&j, line, NULL) == 0) {
		name = json_member(&j, 0, "name");
		from = json_member(&j, 0, "from");
		if (name != NULL && from != NULL) {
			knob_group_of(name->text, group, sizeof(group));
			k = count_of(c, group);
			k->all++;
			k->changed += str_eq(from->text, level);
		}
	}
	json_release(&j);
}

static void
count_lines(struct counts *c, struct span text, const char *level)
{
	while (text.len > 0) {
		const char *lf = memchr(text.p, '\n', text.len);
		size_t n = lf != NULL ? (size_t)(lf - text.p) : text.len;

		count_line(c, (struct span){ text.p, n }, level);
		n += lf != NULL;
		text.p += n;
		text.len -= n;
	}
}

static void
add_group(const struct counts *c, const char *group, const char *help,
	  struct buf *out)
{
	char title[96];
	int i = 0;

	while (i < c->count && !str_eq(c->rows[i].group, group))
		i++;
	if (i == c->count)
		return;
	knob_group_title(group, title, sizeof(title));
	buf_add_str(out, "{\"group\":");
	json_string(out, group);
	buf_add_str(out, ",\"title\":");
	json_string(out, title);
	buf_printf(out, ",\"changed\":%lld,\"count\":%lld,\"help\":",
		   (long long)c->rows[i].changed, (long long)c->rows[i].all);
	json_string(out, help);
	buf_add_str(out, "}\n");
}

static bool
make_groups(struct console *c, const struct cmdline *words, struct buf *out,
	    struct result *r)
{
	struct cmdline list = { { NULL } };
	struct counts counts = { .count = 0 };
	const char *level = "global";
	char group[64];
	bool is_read;

	cmdline_add(&list, "setting");
	cmdline_add(&list, "list");
	for (int i = 1; i < words->count; i++)
		cmdline_add(&list, words->words[i]);
	if (words->count > 1)
		level = words->words[1] + 2; /* --domain, --user */
	is_read = console_run(c, &list, true, SERIAL_UNKNOWN, r);
	cmdline_release(&list);
	if (!is_read || r->code != EX_OK)
		return false;
	count_lines(&counts, buf_span(&r->out), level);
	for (size_t i = 0; i < knob_group_count; i++)
		add_group(&counts, knob_groups[i].name, knob_groups[i].help,
			  out);
#define FILTER(name, is_on, order, time_ms, size, decisive, failure, summary) \
	(void)str_fmt(group, sizeof(group), "filter_%s", #name);              \
	add_group(&counts, group, summary, out);
#include "filters.def"
#undef FILTER
	return true;
}

static void
make_commands(struct buf *out)
{
	char name[80];

	for (size_t i = 0; i < command_count; i++) {
		const struct command *cmd = &command_table[i];

		if (str_eq(cmd->family, "console"))
			continue;
		str_fmt(name, sizeof(name), "%s%s%s", cmd->family,
			cmd->verb[0] != '\0' ? " " : "", cmd->verb);
		buf_add_str(out, "{\"command\":");
		json_string(out, name);
		buf_add_str(out, ",\"synopsis\":");
		json_string(out, cmd->synopsis);
		buf_add_str(out, ",\"help\":");
		json_string(out, cmd->help);
		buf_add_str(out, "}\n");
	}
}

bool
made_list(struct console *c, const struct cmdline *words, struct buf *out,
	  struct result *r)
{
	if (str_eq(words->words[0], "!groups"))
		return make_groups(c, words, out, r);
	make_commands(out);
	return true;
}
