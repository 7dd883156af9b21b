/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcd.conf: what is about this host, read with libconfig (JSON-like
 * groups).  Errors name file, line and what was expected; unknown keys
 * are errors and come with the nearest right one.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "ip.h"

#define CONF_LISTENERS_MAX 64
#define CONF_CERTIFICATES_MAX 64
#define CONF_NETS_MAX 256 /* networks in one list */
#define CONF_FILE_MAX (1024 * 1024)

enum conf_tls {
	CONF_TLS_STARTTLS, /* offered when there is a certificate */
	CONF_TLS_IMPLICIT, /* from the first byte */
	CONF_TLS_NONE
};

struct conf_nets {
	struct ip_net *net;
	size_t count;
};

/* listeners = ( { name = "smtp"; address = "0.0.0.0:25"; }, ... ); */
struct conf_listener {
	char name[64];
	struct ip_port address;
	enum conf_tls tls;
	struct conf_nets proxy_from; /* who has to send a PROXY header */
	struct conf_nets xclient_from; /* who may say XCLIENT */
	int line; /* in the file */
};

/* certificates = ( { cert = "/a.pem"; key = "/a.key"; }, ... ); */
struct conf_certificate {
	char *cert, *key; /* absolute paths; may be the same */
};

struct conf {
#define CONF_STR(key, member, dflt, help) char *member;
#define CONF_INT(key, member, dflt, min, max, help) int64_t member;
#define CONF_BOOL(key, member, dflt, help) bool member;
#include "conf.def"
#undef CONF_STR
#undef CONF_INT
#undef CONF_BOOL
	struct conf_listener listeners[CONF_LISTENERS_MAX];
	size_t listener_count;
	struct conf_certificate certificates[CONF_CERTIFICATES_MAX];
	size_t certificate_count;
	char *path; /* of the file, for messages */
};

/* The file used when no -c is given. */
extern const char conf_default_path[];

/* Fills conf, which the caller releases; on -1 there is nothing in it. */
int conf_read(const char *path, struct conf *conf, struct err *e);
/* The same from a descriptor of a regular file (read from its start, its
 * offset stays); path is for messages. */
int conf_read_fd(int fd, const char *path, struct conf *conf, struct err *e);
/* The same from memory. */
int conf_parse(struct span text, const char *path, struct conf *conf,
	       struct err *e);
void conf_release(struct conf *conf);
bool conf_nets_have(const struct conf_nets *nets, const struct ip *ip);

#endif
