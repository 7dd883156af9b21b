/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The loop runs while a question is out, and not otherwise.
 */
#include "resolver.h"

#include "dns.h"
#include "file.h"
#include "loop.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536
#define WAIT_MS 10000

static struct {
	struct buf records; /* of the last answer */
	struct dns_answer *out;
	bool is_done;
} self;

static void
on_answer(void *arg, const struct dns_answer *a)
{
	(void)arg;
	*self.out = *a;
	buf_clear(&self.records);
	(void)buf_add_span(&self.records, a->records);
	self.out->records = buf_span(&self.records);
	self.is_done = true;
	loop_stop();
}

static void
ask(void *arg, const char *name, unsigned type, struct dns_answer *out)
{
	(void)arg;
	self.out = out;
	self.is_done = false;
	dns_ask(name, type, WAIT_MS, on_answer, NULL);
	/* What is in the cache is answered at once. */
	if (!self.is_done)
		loop_run();
}

static int
read_system(struct dns_conf *c, struct err *e)
{
	struct buf text = { 0 };
	int rc = file_read(RESOLV_CONF, &text, RESOLV_CONF_MAX, e);

	if (rc == 0)
		dns_conf_resolv(c, buf_span(&text));
	buf_release(&text);
	return rc;
}

int
resolver_open(const char *setting, struct dns_asker *out, struct err *e)
{
	struct dns_conf c = { .forwarder_count = 0 };

	if ((setting != NULL ? dns_conf_setting(&c, setting, e)
			     : read_system(&c, e)) < 0)
		return -1;
	loop_init();
	if (dns_init(&c, e) < 0)
		return -1;
	*out = (struct dns_asker){ ask, NULL };
	return 0;
}
