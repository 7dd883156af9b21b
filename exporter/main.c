/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mc-exporter: what the stats mapping says, for Prometheus.  A process of
 * its own: one that asks without end takes nothing from mail, and a fault in
 * an HTTP server is none in mcd.
 */
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "begin.h"
#include "clock.h"
#include "conf.h"
#include "conf_keys.h"
#include "config.h"
#include "events.h"
#include "glance.h"
#include "http.h"
#include "ip.h"
#include "log.h"
#include "metrics.h"
#include "mib.h"

#define NAME "mc-exporter"
#define LOOK_MS 1000

static const char usage[] =
	"usage: mc-exporter [-f] [-c FILE] [-l ADDRESS]\n"
	"       mc-exporter -h | -V\n"
	"  -c FILE     the configuration instead of %s\n"
	"  -f          stay in the foreground, as it always does\n"
	"  -l ADDRESS  where to listen: 127.0.0.1:PORT or [::1]:PORT\n"
	"  -h          print this\n"
	"  -V          print the version\n";

static struct conf conf;

/* Told by the agent, if there is one; here only what is so now. */
static void
tell(const struct event *e, void *arg)
{
	(void)e, (void)arg;
}

static void
look(void)
{
	events_look(glance_now(LOOK_MS), clock_mono_ms(), tell, NULL);
}

static void
page(bool is_open, struct buf *b)
{
	const struct mib_cell *cells;
	size_t count = mib_cells(&cells);

	metrics_write(cells, count, is_open ? METRICS_OPEN : METRICS_TEXT, b);
}

static int
serve(const char *address)
{
	struct err e = { "" };
	struct ip_port at;
	int rc = EX_OK;

	if (ip_port_parse(address, &at, &e) != 0) {
		log_error("%s", e.text);
		return EX_USAGE;
	}
	events_init(&conf);
	glance_open(conf.run_dir, conf.snmp_keep_last);
	if (http_serve(&at, page, look, &e) != 0) {
		log_error("%s", e.text);
		rc = EX_OSERR;
	}
	mib_release();
	glance_close();
	return rc;
}

static int
run(const char *conf_path, const char *address)
{
	int code = begin_conf(NAME, conf_path, &conf);

	if (code != EX_OK)
		return code;
	if (address == NULL)
		address = conf.prometheus_listen;
	if (*address == '\0') {
		fprintf(stderr,
			NAME ": %s: prometheus.listen is not set: expected "
			     "an address such as \"127.0.0.1:9725\"\n",
			conf.path);
		return EX_CONFIG;
	}
	code = begin_address(NAME, 'l', "prometheus.listen", address);
	if (code != EX_OK)
		return code;
	signal(SIGPIPE, SIG_IGN);
	begin_log(&conf, NAME);
	begin_rights(&conf);
	code = serve(address);
	conf_release(&conf);
	return code;
}

int
main(int argc, char **argv)
{
	const char *conf_path = conf_default_path, *address = NULL;
	int c;

	log_open(NAME, LOG_TO_STDERR, LOG_LEVEL_INFO);
	while ((c = getopt(argc, argv, "c:fhl:V")) != -1) {
		switch (c) {
		case 'c':
			conf_path = optarg;
			break;
		case 'f':
			break;
		case 'l':
			address = optarg;
			break;
		case 'V':
			printf(NAME " %s\n", MCGATE_VERSION);
			return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
		case 'h':
			printf(usage, conf_default_path);
			return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
		default:
			fprintf(stderr, usage, conf_default_path);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, NAME ": %s: not expected\n", argv[optind]);
		return EX_USAGE;
	}
	return run(conf_path, address);
}
