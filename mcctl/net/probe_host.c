/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Probes of the host: DNS, disks, permissions, certificates, and what mcd
 * itself knows of its filters.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "doctor.h"
#include "figures_of.h"
#include "file.h"
#include "resolver.h"
#include "str.h"
#include "tls.h"

#define PEM_MAX (1024 * 1024)

void
probe_resolver(struct doctor *d)
{
	const char *setting = d->c->conf.resolver;
	struct dns_answer a = { .rcode = DNS_SERVFAIL };
	struct dns_asker dns;
	struct err e;

	if (resolver_open(setting[0] != '\0' ? setting : NULL, &dns, &e) != 0) {
		doctor_say(d, DOCTOR_FAULT, "mend resolver in mcd.conf", "%s",
			   e.text);
		return;
	}
	/* That the name does not exist is an answer. */
	dns.ask(dns.arg, "mcgate-doctor.example", DNS_TYPE_A, &a);
	if (a.rcode == DNS_SERVFAIL)
		doctor_say(d, DOCTOR_FAULT,
			   "start a resolver of one's own, such as unbound, "
			   "and name it in mcd.conf as resolver",
			   "%s does not answer",
			   setting[0] != '\0' ? setting : "/etc/resolv.conf");
	else
		doctor_say(d, DOCTOR_OK, "", "%s answers",
			   setting[0] != '\0' ? setting
					      : "what /etc/resolv.conf names");
}

void
probe_filters(struct doctor *d)
{
	struct figures f;
	size_t i, out = 0;

	figures_read(&d->c->conf, &f);
	for (i = 0; i < f.count; i++) {
		if (f.row[i].n[FILTER_ROW_BREAKER] == 0)
			continue;
		out++;
		doctor_say(d, DOCTOR_FAULT,
			   "mend what it needs, as the other probes tell; "
			   "then \"mcctl reload\" tries it at once",
			   "%s is left out: %s", f.row[i].key, f.row[i].text);
	}
	if (f.count == 0)
		doctor_say(d, DOCTOR_NOTE, "", "mcd has not been running");
	else if (out == 0)
		doctor_say(d, DOCTOR_OK, "", "none of %llu is left out",
			   (unsigned long long)f.count);
}

static void
probe_room(struct doctor *d, const char *dir)
{
	struct statvfs fs;
	uint64_t free_bytes, percent, inodes = 100;
	char text[32];

	if (statvfs(dir, &fs) != 0) {
		doctor_say(d, DOCTOR_FAULT, "start mcd once: it makes it",
			   "%s: %s", dir, strerror(errno));
		return;
	}
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	percent = fs.f_blocks > 0 ? (uint64_t)fs.f_bavail * 100 / fs.f_blocks
				  : 100;
	if (fs.f_files > 0)
		inodes = (uint64_t)fs.f_favail * 100 / fs.f_files;
	str_bytes(text, sizeof(text), free_bytes);
	doctor_say(d,
		   percent < 2 || inodes < 2	 ? DOCTOR_FAULT
		   : percent < 10 || inodes < 10 ? DOCTOR_WARNING
						 : DOCTOR_OK,
		   percent < 10 || inodes < 10 ? "make room" : "",
		   "%s: %s free (%llu%%, %llu%% of the inodes)", dir, text,
		   (unsigned long long)percent, (unsigned long long)inodes);
}

void
probe_disk(struct doctor *d)
{
	probe_room(d, d->c->conf.spool_dir);
	probe_room(d, d->c->conf.lib_dir);
}

static void
probe_mode(struct doctor *d, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return; /* disk tells */
	if ((st.st_mode & S_IRWXO) != 0)
		doctor_say(d, DOCTOR_FAULT, "chmod o-rwx, on the folder",
			   "%s: everybody may look into it (mode %03o)", dir,
			   (unsigned)st.st_mode & 0777);
	else
		doctor_say(d, DOCTOR_OK, "", "%s: mode %03o", dir,
			   (unsigned)st.st_mode & 0777);
}

void
probe_permissions(struct doctor *d)
{
	probe_mode(d, d->c->conf.spool_dir);
	probe_mode(d, d->c->conf.lib_dir);
}

static int
days_left(const struct conf_certificate *c, long *days, struct err *e)
{
	struct buf cert = { 0 }, key = { 0 };
	struct tls_ctx *t = tls_server_new(TLS_MIN_1_2, "", e);
	int rc = t == NULL ? -1 : file_read(c->cert, &cert, PEM_MAX, e);

	if (rc == 0)
		rc = file_read(c->key, &key, PEM_MAX, e);
	if (rc == 0)
		rc = tls_server_add(t, buf_span(&cert), buf_span(&key), e);
	if (rc == 0)
		*days = tls_server_days_left(t);
	buf_release(&cert);
	buf_wipe(&key);
	buf_release(&key);
	tls_ctx_free(t);
	return rc;
}

void
probe_certificates(struct doctor *d)
{
	const struct conf *conf = &d->c->conf;
	struct err e;
	long days;
	size_t i;

	if (conf->certificate_count == 0)
		doctor_say(d, DOCTOR_NOTE,
			   "for TLS: name certificates in mcd.conf",
			   "none is set: mail comes in without TLS");
	for (i = 0; i < conf->certificate_count; i++) {
		if (days_left(&conf->certificates[i], &days, &e) != 0)
			doctor_say(d, DOCTOR_FAULT,
				   "mend certificates in mcd.conf", "%s",
				   e.text);
		else
			doctor_say(d,
				   days < 0    ? DOCTOR_FAULT
				   : days < 14 ? DOCTOR_WARNING
					       : DOCTOR_OK,
				   days < 14 ? "renew it, then mcctl reload"
					     : "",
				   "%s: %ld days left",
				   conf->certificates[i].cert, days);
	}
}
