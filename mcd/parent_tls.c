/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads PEM files into sealed memory.  Keys are in no other place of this
 * process but for the moment of the check.
 */
#include "parent_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "log.h"
#include "str.h"
#include "tls.h"

#define PEM_MAX (1024 * 1024) /* bytes of a file with one certificate */
#define CA_MAX (8 * 1024 * 1024)
#define PIECE 4096
#define DAY_US INT64_C(86400000000)
#define DAYS_WARN 7 /* before a certificate expires */

/* Appends what is in path to the memory; is_secret: warns of readers. */
static int
append(int to, const char *path, off_t max, bool is_secret, struct err *e)
{
	char piece[PIECE];
	struct stat st;
	off_t total = 0;
	ssize_t n = 0;
	/* A pipe in its place must not block. */
	int in = file_open(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	int rc = -1;

	if (in < 0)
		return err_sys(e, "%s", path);
	if (fstat(in, &st) != 0) {
		err_sys(e, "%s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, "%s: not a file", path);
		goto out;
	}
	if (is_secret && (st.st_mode & S_IRWXO) != 0)
		log_warn("%s: a private key that everyone on this host may "
			 "read: expected mode 0600",
			 path);
	while (total <= max && (n = read(in, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || file_write_all(to, piece, (size_t)n) != 0)
			break;
		total += n;
	}
	if (total > max)
		err_set(e, "%s: larger than %ld bytes", path, (long)max);
	else if (n != 0)
		err_sys(e, "%s", path);
	else if (file_write_all(to, "\n", 1) != 0)
		err_sys(e, "%s: memfd", path);
	else
		rc = 0;
out:
	explicit_bzero(piece, sizeof(piece));
	file_shut(&in);
	return rc;
}

/* Nobody can change or shorten it from here on. */
static int
seal(int fd, struct err *e)
{
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
	    0)
		return err_sys(e, "memfd");
	return 0;
}

static int
memory(struct err *e)
{
	int fd = memfd_create("tls", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd >= 0 ? fd : err_sys(e, "memfd");
}

static int
read_pair(const struct conf_certificate *c, struct tls_ctx *check,
	  struct parent_tls *t, struct err *e)
{
	bool is_one = str_eq(c->cert, c->key);
	int fd = memory(e);

	if (fd < 0)
		return -1;
	if (append(fd, c->cert, PEM_MAX, is_one, e) != 0 ||
	    (!is_one && append(fd, c->key, PEM_MAX, true, e) != 0) ||
	    seal(fd, e) != 0) {
		file_shut(&fd);
		return -1;
	}
	if (tls_server_add_fd(check, fd, e) != 0) {
		file_shut(&fd);
		return is_one ? err_prefix(e, "%s", c->cert)
			      : err_prefix(e, "%s with key %s", c->cert,
					   c->key);
	}
	t->pair[t->count++] = fd;
	return 0;
}

static int
read_pairs(const struct conf *conf, struct parent_tls *t, struct err *e)
{
	struct tls_ctx *check = tls_server_new(
		tls_min_of(conf->tls_min_version), conf->tls_ciphers, e);
	size_t i;
	long days;
	int rc = 0;

	if (check == NULL)
		return -1;
	for (i = 0; rc == 0 && i < conf->certificate_count; i++)
		rc = read_pair(&conf->certificates[i], check, t, e);
	days = tls_server_days_left(check);
	if (rc == 0 && conf->certificate_count > 0 && days < 0)
		log_warn("certificates: one has expired");
	else if (rc == 0 && conf->certificate_count > 0 && days < DAYS_WARN)
		log_warn("certificates: one expires in %ld days", days);
	if (rc == 0 && conf->certificate_count > 0)
		t->ends_us = clock_wall_us() + days * DAY_US;
	tls_ctx_free(check);
	return rc;
}

/* Without it mail goes on, but for domains that want it verified. */
static void
read_ca(const struct conf *conf, struct parent_tls *t)
{
	struct err e = { "" };

	if (conf->tls_ca[0] == '\0')
		return;
	t->ca = memory(&e);
	if (t->ca >= 0 && append(t->ca, conf->tls_ca, CA_MAX, false, &e) == 0 &&
	    seal(t->ca, &e) == 0)
		return;
	log_warn("tls_ca: %s; unless there was one before, no certificate of a "
		 "next hop is right",
		 e.text);
	file_shut(&t->ca);
}

int
parent_tls_read(const struct conf *conf, struct parent_tls *t, struct err *e)
{
	*t = (struct parent_tls){ .count = 0, .ca = -1 };
	if (read_pairs(conf, t, e) != 0) {
		parent_tls_close(t);
		return err_prefix(e, "%s: certificates", conf->path);
	}
	read_ca(conf, t);
	return 0;
}

void
parent_tls_keep_ca(const struct conf *conf, struct parent_tls *fresh,
		   struct parent_tls *old)
{
	if (fresh->ca >= 0 || conf->tls_ca[0] == '\0')
		return;
	fresh->ca = old->ca;
	old->ca = -1;
}

void
parent_tls_close(struct parent_tls *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		file_shut(&t->pair[i]);
	t->count = 0;
	file_shut(&t->ca);
}
