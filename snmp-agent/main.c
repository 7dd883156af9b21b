/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mc-snmp-agent: what the stats mapping says, for the host's snmpd.  A
 * process of its own, so that neither snmpd nor who asks it can slow mail.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "agentx.h"
#include "begin.h"
#include "clock.h"
#include "conf.h"
#include "conf_keys.h"
#include "config.h"
#include "events.h"
#include "glance.h"
#include "log.h"
#include "mib.h"
#include "str.h"
#include "ucd.h"

#define NAME "mc-snmp-agent"
#define LOOK_MS 1000
#define STOP_S 3 /* for a last word to an snmpd that may hang */

static const char usage[] =
	"usage: mc-snmp-agent [-f] [-c FILE] [-x ADDRESS]\n"
	"       mc-snmp-agent -m [-c FILE]\n"
	"       mc-snmp-agent -h | -V\n"
	"  -c FILE     the configuration instead of %s\n"
	"  -f          stay in the foreground, as it always does\n"
	"  -m          print MCGATE-MIB, for the base OID of FILE if given\n"
	"  -x ADDRESS  where snmpd is: unix:PATH or tcp:HOST:PORT\n"
	"  -h          print this\n"
	"  -V          print the version\n";

static volatile sig_atomic_t is_stopping;

static struct conf conf;
static uint32_t base[AGENTX_OID_MAX];
static size_t base_len;

/* net-snmp may be waiting for an snmpd that hangs: that ends, too. */
static void
on_stop(int sig)
{
	(void)sig;
	is_stopping = 1;
	alarm(STOP_S);
}

static void
on_alarm(int sig)
{
	(void)sig;
	_exit(EX_OK);
}

static void
set_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop };
	struct sigaction late = { .sa_handler = on_alarm };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGALRM, &late, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static bool
to_value(const struct mib_cell *c, struct agentx_value *v)
{
	static const enum agentx_type types[] = {
		[MIB_TEXT] = AGENTX_TEXT,	[MIB_GAUGE] = AGENTX_GAUGE,
		[MIB_GAUGE64] = AGENTX_COUNTER, [MIB_COUNTER] = AGENTX_COUNTER,
		[MIB_AGE] = AGENTX_GAUGE,	[MIB_SINCE] = AGENTX_GAUGE,
		[MIB_LEFT] = AGENTX_GAUGE,	[MIB_STATE] = AGENTX_INTEGER,
		[MIB_PROCESS] = AGENTX_INTEGER,
	};

	if (c == NULL)
		return false;
	*v = (struct agentx_value){ .oid = c->oid,
				    .len = c->len,
				    .type = types[c->object->kind],
				    .number = c->number,
				    .text = c->text };
	return true;
}

static bool
tree_get(const uint32_t *oid, size_t len, struct agentx_value *v)
{
	return to_value(mib_get(oid, len), v);
}

static bool
tree_next(const uint32_t *oid, size_t len, bool is_inclusive,
	  struct agentx_value *v)
{
	return to_value(mib_next(oid, len, is_inclusive), v);
}

static int
add_mib(struct err *e)
{
	static const struct agentx_tree tree = { tree_get, tree_next };

	base_len = mib_parse_oid(conf.snmp_base_oid, base, AGENTX_OID_MAX);
	return agentx_add_tree("mcgate", base, base_len, &tree, e);
}

/* One column of the event's row, as the tree has it. */
static void
put_column(const char *key, uint32_t column, uint32_t *oid, size_t *count,
	   struct agentx_value *vars)
{
	size_t len = 0;

	oid[len++] = 1;
	oid[len++] = MIB_GROUP_EVENT;
	oid[len++] = 1;
	oid[len++] = column;
	for (; *key != '\0'; key++)
		oid[len++] = (unsigned char)*key;
	if (tree_get(oid, len, &vars[*count]))
		(*count)++;
}

static void
tell(const struct event *e, void *arg)
{
	static const uint32_t columns[] = { 2, 5, 6, 20 };
	uint32_t notice[] = { 0, 2 * e->number - e->is_raised };
	struct agentx_value vars[4];
	uint32_t oid[STATS_KEY_SIZE + 4];
	size_t count = 0;
	char text[256];

	(void)arg;
	events_text(e, text, sizeof(text));
	log_warn("event %s: %s", e->name, text);
	mib_release(); /* what is said now is of now */
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		put_column(e->name, columns[i], oid, &count, vars);
	agentx_notify(base, base_len, notice, 2, vars, count);
}

/* Once a second, however many questions there are. */
static void
look(void)
{
	static int64_t looked_ms;
	int64_t now_ms = clock_mono_ms();

	if (now_ms - looked_ms < LOOK_MS)
		return;
	looked_ms = now_ms;
	events_look(glance_now(LOOK_MS), now_ms, tell, NULL);
}

static int
serve(const char *address)
{
	struct err e = { "" };

	events_init(&conf);
	glance_open(conf.run_dir, conf.snmp_keep_last);
	if (agentx_start(address, &e) != 0 ||
	    ucd_add(conf.snmp_ucd_rows, conf.spool_dir, &e) != 0 ||
	    add_mib(&e) != 0) {
		log_error("%s", e.text);
		return EX_SOFTWARE;
	}
	log_info("started: AgentX at %s", address);
	while (!is_stopping) {
		agentx_turn();
		look();
	}
	log_info("stopping");
	agentx_stop();
	mib_release();
	glance_close();
	return EX_OK;
}

/* Without a configuration for the usual base. */
static int
print_mib(const char *conf_path)
{
	const char *usual = conf_row_find("snmp.base_oid")->text;
	struct buf b = { 0 };
	int rc = EX_OK;

	if (conf_path != NULL)
		rc = begin_conf(NAME, conf_path, &conf);
	if (rc != EX_OK)
		return rc;
	mib_write(conf_path != NULL ? conf.snmp_base_oid : usual, &b);
	rc = fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0
		     ? EX_OK
		     : EX_IOERR;
	buf_release(&b);
	if (conf_path != NULL)
		conf_release(&conf);
	return rc;
}

static int
run(const char *conf_path, const char *address)
{
	int code = begin_conf(NAME, conf_path, &conf);

	if (code != EX_OK)
		return code;
	if (address == NULL)
		address = conf.snmp_agentx;
	code = begin_address(NAME, 'x', "snmp.agentx", address);
	if (code != EX_OK)
		return code;
	begin_log(&conf, NAME);
	set_signals();
	begin_rights(&conf);
	code = serve(address);
	conf_release(&conf);
	return code;
}

int
main(int argc, char **argv)
{
	const char *conf_path = NULL, *address = NULL;
	bool is_mib = false;
	int c;

	log_open("mc-snmp-agent", LOG_TO_STDERR, LOG_LEVEL_INFO);
	while ((c = getopt(argc, argv, "c:fhmVx:")) != -1) {
		switch (c) {
		case 'c':
			conf_path = optarg;
			break;
		case 'f':
			break;
		case 'm':
			is_mib = true;
			break;
		case 'V':
			printf("mc-snmp-agent %s\n", MCGATE_VERSION);
			return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
		case 'h':
			printf(usage, conf_default_path);
			return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
		case 'x':
			address = optarg;
			break;
		default:
			fprintf(stderr, usage, conf_default_path);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mc-snmp-agent: %s: not expected\n",
			argv[optind]);
		return EX_USAGE;
	}
	if (is_mib)
		return print_mib(conf_path);
	return run(conf_path != NULL ? conf_path : conf_default_path, address);
}
