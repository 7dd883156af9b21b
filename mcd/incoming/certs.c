/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "certs.h"

#include <string.h>

#include "file.h"
#include "log.h"
#include "str.h"

static struct {
	struct tls_ctx *now, *next;
	enum tls_min min;
	char ciphers[1024];
	bool is_next_bad; /* the one that is in use stays */
} self;

void
certs_conf(const struct conf *conf)
{
	self.min = tls_min_of(conf->tls_min_version);
	(void)str_copy(self.ciphers, sizeof(self.ciphers), conf->tls_ciphers);
	tls_ctx_free(self.next);
	self.next = NULL;
	self.is_next_bad = false;
}

void
certs_add(int fd)
{
	struct err e = { "" };

	if (self.next == NULL)
		self.next = tls_server_new(self.min, self.ciphers, &e);
	/* The parent has checked it. */
	if (self.next == NULL || tls_server_add_fd(self.next, fd, &e) != 0) {
		log_error("certificates kept: %s", e.text);
		self.is_next_bad = true;
	}
	file_shut(&fd);
}

void
certs_done(void)
{
	if (self.is_next_bad) {
		tls_ctx_free(self.next);
	} else {
		tls_ctx_free(self.now);
		self.now = self.next;
	}
	self.next = NULL;
	self.is_next_bad = false;
}

struct tls_ctx *
certs_ctx(void)
{
	return self.now;
}
