/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text of MCGATE-MIB (SMIv2, RFC 2578 to 2580), made of the rows, so
 * that it says what is served and nothing else.
 */
#include <string.h>

#include "events.h"
#include "mib.h"
#include "str.h"

/* Of the last change to the meaning of an object: see RFC 2578 10. */
#define REVISION "202611250000Z"

static const char head[] =
	"MCGATE-MIB DEFINITIONS ::= BEGIN\n\n"
	"IMPORTS\n"
	"    MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, Gauge32,\n"
	"    Counter64, enterprises\n"
	"        FROM SNMPv2-SMI\n"
	"    DisplayString\n"
	"        FROM SNMPv2-TC\n"
	"    CounterBasedGauge64\n"
	"        FROM HCNUM-TC\n"
	"    MODULE-COMPLIANCE, OBJECT-GROUP, NOTIFICATION-GROUP\n"
	"        FROM SNMPv2-CONF;\n\n"
	"mcgate MODULE-IDENTITY\n"
	"    LAST-UPDATED \"" REVISION "\"\n"
	"    ORGANIZATION \"mcgate\"\n"
	"    CONTACT-INFO \"the maintainers of mcgate\"\n"
	"    DESCRIPTION\n"
	"        \"What mcgate, a mail-cleaning gateway, does on this host.\"\n"
	"    REVISION \"" REVISION "\"\n"
	"    DESCRIPTION\n"
	"        \"The first one.\"\n"
	"    ::= { ";

static const char first[] =
	" }\n\n"
	"mcgateNotices     OBJECT IDENTIFIER ::= { mcgate 0 }\n"
	"mcObjects     OBJECT IDENTIFIER ::= { mcgate 1 }\n"
	"mcStatus      OBJECT IDENTIFIER ::= { mcObjects 1 }\n"
	"mcStats       OBJECT IDENTIFIER ::= { mcObjects 2 }\n"
	"mcConformance OBJECT IDENTIFIER ::= { mcgate 2 }\n\n";

/* As the names of an enumeration have to be. */
static void
write_syntax(struct buf *b, enum mib_kind kind)
{
	static const char *const words[] = {
		[MIB_TEXT] = "DisplayString (SIZE (0..255))",
		[MIB_GAUGE] = "Gauge32",
		[MIB_GAUGE64] = "CounterBasedGauge64",
		[MIB_COUNTER] = "Counter64",
		[MIB_AGE] = "Gauge32",
		[MIB_SINCE] = "Gauge32",
		[MIB_LEFT] = "Gauge32",
	};
	int i;

	if (kind == MIB_STATE) {
		buf_add_str(b, "INTEGER { ");
		for (i = GLANCE_RUNNING; i <= GLANCE_UNREADABLE; i++)
			buf_printf(b, "%s%s(%d)", i > 1 ? ",\n        " : "",
				   glance_state_name((enum glance_state)i), i);
		buf_add_str(b, " }");
	} else if (kind == MIB_PROCESS) {
		buf_add_str(b, "INTEGER { ");
		for (i = PROCESS_STARTING; i <= PROCESS_DOWN; i++)
			buf_printf(b, "%s%s(%d)", i > 0 ? ", " : "",
				   process_state_name(i), i + 1);
		buf_add_str(b, " }");
	} else {
		buf_add_str(b, words[kind]);
	}
}

static void
write_object(struct buf *b, const struct mib_object *o, const char *parent)
{
	buf_printf(b, "%s OBJECT-TYPE\n    SYNTAX ", o->name);
	write_syntax(b, o->kind);
	if (o->unit[0] != '\0')
		buf_printf(b, "\n    UNITS \"%s\"", o->unit);
	buf_printf(b,
		   "\n    MAX-ACCESS read-only\n    STATUS current\n"
		   "    DESCRIPTION\n        \"%s.\"\n    ::= { %s %u }\n\n",
		   o->help, parent, o->number);
}

static void
write_key(struct buf *b, const struct mib_table *t)
{
	buf_printf(b,
		   "%sKey OBJECT-TYPE\n"
		   "    SYNTAX OCTET STRING (SIZE (1..63))\n"
		   "    MAX-ACCESS not-accessible\n    STATUS current\n"
		   "    DESCRIPTION\n        \"The name, as index.\"\n"
		   "    ::= { %sEntry 1 }\n\n",
		   t->name, t->name);
	buf_printf(b,
		   "%sName OBJECT-TYPE\n"
		   "    SYNTAX DisplayString (SIZE (1..63))\n"
		   "    MAX-ACCESS read-only\n    STATUS current\n"
		   "    DESCRIPTION\n        \"The name, to be read.\"\n"
		   "    ::= { %sEntry 2 }\n\n",
		   t->name, t->name);
}

/* The row's type has a name with a capital. */
static void
write_sequence(struct buf *b, const struct mib_table *t,
	       const struct mib_object *o, size_t count)
{
	static const char *const words[] = {
		[MIB_TEXT] = "DisplayString",
		[MIB_GAUGE] = "Gauge32",
		[MIB_COUNTER] = "Counter64",
		[MIB_AGE] = "Gauge32",
		[MIB_SINCE] = "Gauge32",
		[MIB_LEFT] = "Gauge32",
		[MIB_STATE] = "INTEGER",
		[MIB_PROCESS] = "INTEGER",
		[MIB_GAUGE64] = "CounterBasedGauge64",
	};

	buf_printf(b,
		   "M%sEntry ::= SEQUENCE {\n    %sKey OCTET STRING,\n"
		   "    %sName DisplayString",
		   t->name + 1, t->name, t->name);
	for (; count > 0; count--, o++) {
		if (o->table == t->table)
			buf_printf(b, ",\n    %s %s", o->name, words[o->kind]);
	}
	buf_add_str(b, "\n}\n\n");
}

static void
write_table(struct buf *b, const struct mib_table *t,
	    const struct mib_object *o, size_t count)
{
	char entry[64];

	str_fmt(entry, sizeof(entry), "%sEntry", t->name);
	buf_printf(b,
		   "%sTable OBJECT-TYPE\n    SYNTAX SEQUENCE OF M%s\n"
		   "    MAX-ACCESS not-accessible\n    STATUS current\n"
		   "    DESCRIPTION\n        \"One row: %s.\"\n"
		   "    ::= { mcObjects %u }\n\n",
		   t->name, entry + 1, t->help, t->number);
	buf_printf(b,
		   "%s OBJECT-TYPE\n    SYNTAX M%s\n"
		   "    MAX-ACCESS not-accessible\n    STATUS current\n"
		   "    DESCRIPTION\n        \"A row.\"\n"
		   "    INDEX { IMPLIED %sKey }\n    ::= { %sTable 1 }\n\n",
		   entry, entry + 1, t->name, t->name);
	write_sequence(b, t, o, count);
	write_key(b, t);
	for (; count > 0; count--, o++) {
		if (o->table == t->table)
			write_object(b, o, entry);
	}
}

static void
write_notices(struct buf *b)
{
	for (size_t i = 0; i < 2 * EVENT_COUNT; i++) {
		const struct event *e = events_get((enum event_id)(i / 2));
		const char *over = i % 2 == 1 ? "Over" : "";

		buf_printf(
			b,
			"%s%s NOTIFICATION-TYPE\n"
			"    OBJECTS { mcEventName, mcEventValue,\n"
			"        mcEventLimit, mcEventText }\n"
			"    STATUS current\n    DESCRIPTION\n"
			"        \"%s%s.\"\n    ::= { mcgateNotices %u }\n\n",
			e->name, over, *over != '\0' ? "Over: " : "", e->help,
			2 * e->number - (*over == '\0'));
	}
}

static void
write_conformance(struct buf *b, const struct mib_object *o, size_t count)
{
	size_t i;

	buf_add_str(b, "mcGroup OBJECT-GROUP\n    OBJECTS {");
	for (i = 0; i < count; i++)
		buf_printf(b, "%s\n        %s", i > 0 ? "," : "", o[i].name);
	for (i = 0; i < mib_table_count; i++)
		buf_printf(b, ",\n        %sName", mib_tables[i].name);
	buf_add_str(b, "\n    }\n    STATUS current\n"
		       "    DESCRIPTION\n        \"All there is.\"\n"
		       "    ::= { mcConformance 1 }\n\n"
		       "mcNoticeGroup NOTIFICATION-GROUP\n    NOTIFICATIONS {");
	for (i = 0; i < EVENT_COUNT; i++)
		buf_printf(b, "%s\n        %s,\n        %sOver",
			   i > 0 ? "," : "", events_get((enum event_id)i)->name,
			   events_get((enum event_id)i)->name);
	buf_add_str(
		b,
		"\n    }\n    STATUS current\n"
		"    DESCRIPTION\n        \"All there are.\"\n"
		"    ::= { mcConformance 3 }\n\n"
		"mcCompliance MODULE-COMPLIANCE\n    STATUS current\n"
		"    DESCRIPTION\n        \"An agent of a gateway.\"\n"
		"    MODULE\n    MANDATORY-GROUPS { mcGroup, mcNoticeGroup }\n"
		"    ::= { mcConformance 2 }\n\n");
}

/* MODULE-IDENTITY comes first, so that the nodes above it follow. */
static void
write_base(struct buf *b, const char *numbers)
{
	const char *last = strrchr(numbers, '.');
	size_t len;
	int n = 0;

	if (last == NULL) {
		buf_printf(b, "enterprises %s%s", numbers, first);
		return;
	}
	for (const char *p = numbers; p < last; p++)
		n += *p == '.';
	buf_printf(b, "mcBase%d %s%s", n, last + 1, first);
	for (n = 0; numbers < last; n++, numbers += len + 1) {
		len = strcspn(numbers, ".");
		buf_printf(b, "mcBase%d OBJECT IDENTIFIER ::= { ", n);
		if (n > 0)
			buf_printf(b, "mcBase%d", n - 1);
		else
			buf_add_str(b, "enterprises");
		buf_printf(b, " %.*s }\n", (int)len, numbers);
	}
	buf_add_char(b, '\n');
}

void
mib_write(const char *base, struct buf *b)
{
	const struct mib_object *o;
	size_t count = mib_objects(&o), i;

	buf_add_str(b, head);
	/* Behind 1.3.6.1.4.1, as the key's check has seen to. */
	write_base(b, base + strlen(MIB_ENTERPRISES "."));
	for (i = 0; i < count; i++) {
		if (o[i].table < 0)
			write_object(b, &o[i],
				     o[i].is_stat ? "mcStats" : "mcStatus");
	}
	for (i = 0; i < mib_table_count; i++)
		write_table(b, &mib_tables[i], o, count);
	write_notices(b);
	write_conformance(b, o, count);
	buf_add_str(b, "END\n");
}
