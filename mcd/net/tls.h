/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * TLS (OpenSSL) for both directions: what a server or client brings along
 * (certificates and keys, or anchors of trust), and one connection's
 * session.  io.c moves the bytes; nobody else calls the second half.
 *
 * TLS 1.2 and up, no compression, no renegotiation; a connection that ends
 * without a close_notify has ended in order, for SMTP has ends of its own.
 * The process has to ignore SIGPIPE.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

#define TLS_PAIRS_MAX 64 /* certificates of a server */
#define TLS_NAME_MAX 255
#define TLS_TEXT_SIZE 160

enum tls_min { TLS_MIN_1_2, TLS_MIN_1_3 };

/* Of "1.2" and "1.3". */
enum tls_min tls_min_of(const char *version);

/* Counted: each session holds the one it was made of. */
struct tls_ctx;

/*
 * ciphers is OpenSSL's list for TLS 1.2, "" for ours.  NULL with e when
 * it names none.
 */
struct tls_ctx *tls_server_new(enum tls_min min, const char *ciphers,
			       struct err *e);
/*
 * A certificate, with its chain behind it, and its key, both PEM; one text
 * may hold both and be given twice.  The first is for clients that name no
 * server or one that is in none of them.
 */
int tls_server_add(struct tls_ctx *ctx, struct span cert, struct span key,
		   struct err *e);
/* Both in one file that nobody can shorten any more. */
int tls_server_add_fd(struct tls_ctx *ctx, int fd, struct err *e);
/* Days until the first of them expires; negative: one has. */
long tls_server_days_left(const struct tls_ctx *ctx);
struct tls_ctx *tls_client_new(enum tls_min min, const char *ciphers,
			       struct err *e);
/* Adds the PEM certificates in pem; returns how many, -1 for none. */
int tls_client_trust(struct tls_ctx *ctx, struct span pem, struct err *e);
/* Of a file that nobody can shorten any more. */
int tls_client_trust_fd(struct tls_ctx *ctx, int fd, struct err *e);
struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx);
/* Takes NULL. */
void tls_ctx_free(struct tls_ctx *ctx);

/* What the handshake has agreed on; strings live as long as the session. */
struct tls_info {
	const char *version; /* "TLSv1.3" */
	const char *cipher; /* "TLS_AES_256_GCM_SHA384" */
	int bits;
	bool is_resumed;
	/* A client's: the server proved to be the name that was asked for. */
	bool is_verified;
	char name[TLS_NAME_MAX + 1]; /* that was asked for, "" for none */
	char why[TLS_TEXT_SIZE]; /* it is not verified */
};

struct tls;

/* Each for io_start_tls(), which takes it. */
struct tls *tls_accept(struct tls_ctx *ctx);
/*
 * name is the server's, for SNI and for the check of its certificate: a
 * host name or an address; "": neither.  The handshake succeeds whatever
 * the certificate is: look at is_verified.
 */
struct tls *tls_connect(struct tls_ctx *ctx, const char *name);
/* Closes nothing and sends nothing; takes NULL. */
void tls_free(struct tls *t);

/* For io.c. */

enum tls_step { TLS_STEP_DONE, TLS_STEP_WAIT, TLS_STEP_FAILED };

/* Bytes that come before those of the socket; once, before the rest. */
void tls_give(struct tls *t, struct span early);
enum tls_step tls_handshake(struct tls *t, int fd);
/*
 * As recv(2) and send(2): 0 is the end of what comes, -1 has errno EAGAIN,
 * EPROTO with tls_error(), or the socket's.  After EAGAIN a tls_write() has
 * to be called again with the same bytes, and more, at any place.
 */
ssize_t tls_read(struct tls *t, void *p, size_t n);
ssize_t tls_write(struct tls *t, const void *p, size_t n);
/* What the last call waits for: set of WATCH_READ and WATCH_WRITE. */
int tls_waits_for(const struct tls *t);
/* Says that nothing more comes, as far as the socket takes it. */
void tls_shut(struct tls *t);
const char *tls_error(const struct tls *t);
/* NULL before the handshake is done. */
const struct tls_info *tls_info(const struct tls *t);

#endif
