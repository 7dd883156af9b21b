/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * OpenSSL behind the contract of tls.h.  The library reads no configuration
 * of the system's: what holds here does not depend on whether a jail hides
 * that file.
 */
#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ip.h"
#include "loop.h"
#include "str.h"
#include "xalloc.h"

/* Only what nobody needs any more is left out: who finds nothing in common
 * sends in the clear instead. */
#define CIPHERS \
	"HIGH:!aNULL:!eNULL:!kPSK:!kSRP:!aDSS:!3DES:!ARIA:!CAMELLIA:!MD5"
#define CHAIN_MAX 10 /* certificates behind one */

/* A certificate of a server's. */
struct pair {
	SSL_CTX *ssl;
	X509 *cert; /* ssl's */
};

struct tls_ctx {
	unsigned refs;
	bool is_server;
	enum tls_min min;
	char *ciphers;
	SSL_CTX *client;
	size_t count;
	struct pair pairs[TLS_PAIRS_MAX];
};

struct tls {
	struct tls_ctx *ctx;
	SSL *ssl;
	BIO *early; /* ssl's; what tls_give() gave */
	bool is_server;
	bool has_info;
	bool is_broken; /* nothing may be said any more */
	bool has_address; /* info.name is an address, which SNI does not take */
	int waits_for;
	struct tls_info info;
	char error[TLS_TEXT_SIZE];
};

/* The library loads nothing by itself from here on. */
static bool
is_ready(void)
{
	static bool is_done;

	if (!is_done)
		is_done = OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) ==
			  1;
	return is_done;
}

/* The first of the library's queue of errors, which is then empty. */
static const char *
reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *text = code == 0 ? NULL : ERR_reason_error_string(code);

	ERR_clear_error();
	return text == NULL ? "no reason given" : text;
}

/* A key that wants a password has none: nobody is there to type it. */
static int
no_password(char *buf, int size, int is_write, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_write;
	*(bool *)arg = true;
	return -1;
}

static SSL_CTX *
ssl_ctx_new(const struct tls_ctx *ctx, struct err *e)
{
	SSL_CTX *ssl = NULL;

	ERR_clear_error();
	if (is_ready())
		ssl = SSL_CTX_new(ctx->is_server ? TLS_server_method()
						 : TLS_client_method());
	if (ssl == NULL) {
		err_set(e, "TLS: %s", reason());
		return NULL;
	}
	/* A next hop with a short key is still better than none. */
	SSL_CTX_set_security_level(ssl, ctx->is_server ? 2 : 1);
	SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* Tickets, which the clients keep, are all there is of resumption. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_dh_auto(ssl, 1);
	SSL_CTX_set_read_ahead(ssl, 1);
	if (SSL_CTX_set_min_proto_version(ssl, ctx->min == TLS_MIN_1_3
						       ? TLS1_3_VERSION
						       : TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ssl, ctx->ciphers) != 1) {
		err_set(e, "TLS ciphers \"%s\": %s", ctx->ciphers, reason());
		SSL_CTX_free(ssl);
		return NULL;
	}
	return ssl;
}

static struct tls_ctx *
ctx_new(bool is_server, enum tls_min min, const char *ciphers, struct err *e)
{
	struct tls_ctx *ctx = xcalloc(1, sizeof(*ctx));
	SSL_CTX *ssl;

	ctx->refs = 1;
	ctx->is_server = is_server;
	ctx->min = min;
	ctx->ciphers = xstrdup(*ciphers == '\0' ? CIPHERS : ciphers);
	ssl = ssl_ctx_new(ctx, e);
	if (ssl == NULL) {
		tls_ctx_free(ctx);
		return NULL;
	}
	if (is_server)
		SSL_CTX_free(ssl); /* each certificate gets its own */
	else
		ctx->client = ssl;
	return ctx;
}

struct tls_ctx *
tls_server_new(enum tls_min min, const char *ciphers, struct err *e)
{
	return ctx_new(true, min, ciphers, e);
}

struct tls_ctx *
tls_client_new(enum tls_min min, const char *ciphers, struct err *e)
{
	struct tls_ctx *ctx = ctx_new(false, min, ciphers, e);

	/* The result is looked at; see tls_connect(). */
	if (ctx != NULL)
		SSL_CTX_set_verify(ctx->client, SSL_VERIFY_NONE, NULL);
	return ctx;
}

struct tls_ctx *
tls_ctx_ref(struct tls_ctx *ctx)
{
	ctx->refs++;
	return ctx;
}

void
tls_ctx_free(struct tls_ctx *ctx)
{
	size_t i;

	if (ctx == NULL || --ctx->refs > 0)
		return;
	for (i = 0; i < ctx->count; i++)
		SSL_CTX_free(ctx->pairs[i].ssl);
	SSL_CTX_free(ctx->client);
	free(ctx->ciphers);
	free(ctx);
}

static BIO *
bio_of(struct span s)
{
	BIO *bio = NULL;

	if (s.len > 0 && s.len <= INT_MAX)
		bio = BIO_new_mem_buf(s.p, (int)s.len);
	return bio;
}

/* The certificate and what is behind it; NULL with e. */
static X509 *
add_chain(SSL_CTX *ssl, struct span pem, struct err *e)
{
	bool wants_password = false;
	BIO *bio = bio_of(pem);
	X509 *cert = NULL, *more;
	int count = 0;

	if (bio != NULL)
		cert = PEM_read_bio_X509_AUX(bio, NULL, no_password,
					     &wants_password);
	if (cert == NULL)
		err_set(e, "no certificate in it (PEM)");
	else if (SSL_CTX_use_certificate(ssl, cert) != 1)
		err_set(e, "the certificate is not fit: %s", reason());
	while (cert != NULL && count++ < CHAIN_MAX &&
	       (more = PEM_read_bio_X509(bio, NULL, no_password,
					 &wants_password)) != NULL)
		if (SSL_CTX_add0_chain_cert(ssl, more) != 1) {
			err_set(e, "the chain is not fit: %s", reason());
			X509_free(more);
			cert = NULL;
		}
	BIO_free(bio);
	ERR_clear_error();
	/* What ssl uses is the same object, counted. */
	X509_free(cert);
	return cert == NULL ? NULL : SSL_CTX_get0_certificate(ssl);
}

static int
add_key(SSL_CTX *ssl, struct span pem, struct err *e)
{
	bool wants_password = false;
	BIO *bio = bio_of(pem);
	EVP_PKEY *key = NULL;
	int rc = 0;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password,
					      &wants_password);
	ERR_clear_error();
	if (wants_password)
		rc = err_set(e, "the key wants a password: expected one "
				"without");
	else if (key == NULL)
		rc = err_set(e, "no private key in it (PEM)");
	else if (SSL_CTX_use_PrivateKey(ssl, key) != 1 ||
		 SSL_CTX_check_private_key(ssl) != 1)
		rc = err_set(e, "the key does not belong to the certificate");
	ERR_clear_error();
	EVP_PKEY_free(key);
	BIO_free(bio);
	return rc;
}

/* The pair for the server that a client has named. */
static int
on_server_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_ctx *ctx = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	size_t i, len = name == NULL ? 0 : strlen(name);

	(void)alert;
	if (len == 0 || len > TLS_NAME_MAX)
		return SSL_TLSEXT_ERR_NOACK;
	for (i = 0; i < ctx->count; i++) {
		if (X509_check_host(ctx->pairs[i].cert, name, len, 0, NULL) !=
		    1)
			continue;
		if (i > 0 && SSL_set_SSL_CTX(ssl, ctx->pairs[i].ssl) == NULL)
			return SSL_TLSEXT_ERR_NOACK;
		return SSL_TLSEXT_ERR_OK;
	}
	/* Not ours: mail for it comes to us all the same. */
	return SSL_TLSEXT_ERR_NOACK;
}

int
tls_server_add(struct tls_ctx *ctx, struct span cert, struct span key,
	       struct err *e)
{
	static const unsigned char context[] = "mcgate";
	struct pair p = { NULL, NULL };

	if (ctx->count == TLS_PAIRS_MAX)
		return err_set(e, "more than %d certificates", TLS_PAIRS_MAX);
	p.ssl = ssl_ctx_new(ctx, e);
	if (p.ssl == NULL)
		return -1;
	p.cert = add_chain(p.ssl, cert, e);
	if (p.cert == NULL || add_key(p.ssl, key, e) != 0) {
		SSL_CTX_free(p.ssl);
		return -1;
	}
	(void)SSL_CTX_set_session_id_context(p.ssl, context,
					     sizeof(context) - 1);
	(void)SSL_CTX_set_num_tickets(p.ssl, 1);
	SSL_CTX_set_tlsext_servername_callback(p.ssl, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(p.ssl, ctx);
	ctx->pairs[ctx->count++] = p;
	return 0;
}

enum tls_min
tls_min_of(const char *version)
{
	return str_eq(version, "1.3") ? TLS_MIN_1_3 : TLS_MIN_1_2;
}

/* All of a file, mapped: a copy on the heap might stay there. */
static int
map_fd(int fd, struct span *out, struct err *e)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "stat");
	if (st.st_size <= 0 || st.st_size > INT_MAX)
		return err_set(e, "nothing in it");
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, "mmap");
	*out = (struct span){ p, (size_t)st.st_size };
	return 0;
}

static void
unmap(struct span s)
{
	(void)munmap((void *)(uintptr_t)s.p, s.len);
}

int
tls_server_add_fd(struct tls_ctx *ctx, int fd, struct err *e)
{
	struct span pem;
	int rc;

	if (map_fd(fd, &pem, e) != 0)
		return -1;
	rc = tls_server_add(ctx, pem, pem, e);
	unmap(pem);
	return rc;
}

long
tls_server_days_left(const struct tls_ctx *ctx)
{
	long least = LONG_MAX;
	int days, seconds;
	size_t i;

	for (i = 0; i < ctx->count; i++) {
		if (ASN1_TIME_diff(&days, &seconds, NULL,
				   X509_get0_notAfter(ctx->pairs[i].cert)) != 1)
			continue;
		if (days == 0 && seconds < 0)
			days = -1;
		if (days < least)
			least = days;
	}
	return least;
}

int
tls_client_trust(struct tls_ctx *ctx, struct span pem, struct err *e)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx->client);
	BIO *bio = bio_of(pem);
	bool wants_password = false;
	X509 *cert;
	int count = 0;

	while (bio != NULL &&
	       (cert = PEM_read_bio_X509(bio, NULL, no_password,
					 &wants_password)) != NULL) {
		count += X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
	}
	ERR_clear_error();
	BIO_free(bio);
	return count > 0 ? count : err_set(e, "no certificate in it (PEM)");
}

int
tls_client_trust_fd(struct tls_ctx *ctx, int fd, struct err *e)
{
	struct span pem;
	int rc;

	if (map_fd(fd, &pem, e) != 0)
		return -1;
	rc = tls_client_trust(ctx, pem, e);
	unmap(pem);
	return rc;
}

static struct tls *
session_new(struct tls_ctx *ctx, SSL_CTX *ssl)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	ERR_clear_error();
	t->ctx = tls_ctx_ref(ctx);
	t->is_server = ctx->is_server;
	if (ssl != NULL)
		t->ssl = SSL_new(ssl);
	return t;
}

struct tls *
tls_accept(struct tls_ctx *ctx)
{
	SSL_CTX *first = ctx->count > 0 ? ctx->pairs[0].ssl : NULL;
	struct tls *t = session_new(ctx, first);

	if (t->ssl != NULL)
		SSL_set_accept_state(t->ssl);
	return t;
}

/* An address is never sent as SNI (RFC 6066 section 3). */
static bool
is_address(const char *name)
{
	struct ip ip;

	return ip_parse(name, &ip, NULL) == 0;
}

struct tls *
tls_connect(struct tls_ctx *ctx, const char *name)
{
	struct tls *t = session_new(ctx, ctx->client);
	X509_VERIFY_PARAM *param;
	bool ok = true;

	if (t->ssl == NULL)
		return t;
	SSL_set_connect_state(t->ssl);
	(void)str_copy(t->info.name, sizeof(t->info.name), name);
	if (*name == '\0')
		return t;
	param = SSL_get0_param(t->ssl);
	X509_VERIFY_PARAM_set_hostflags(param,
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(name))
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	else
		ok = SSL_set_tlsext_host_name(t->ssl, name) == 1 &&
		     SSL_set1_host(t->ssl, name) == 1;
	if (!ok) {
		SSL_free(t->ssl);
		t->ssl = NULL;
	}
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	if (t->ssl == NULL || SSL_get_wfd(t->ssl) < 0)
		BIO_free(t->early);
	SSL_free(t->ssl);
	tls_ctx_free(t->ctx);
	free(t);
}

/* What a call of the library's that did not succeed means; sets errno. */
static enum tls_step
outcome(struct tls *t, int rc)
{
	int saved = errno;

	t->waits_for = 0;
	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_ZERO_RETURN:
		return TLS_STEP_DONE;
	case SSL_ERROR_WANT_READ:
		t->waits_for = WATCH_READ;
		errno = EAGAIN;
		return TLS_STEP_WAIT;
	case SSL_ERROR_WANT_WRITE:
		t->waits_for = WATCH_WRITE;
		errno = EAGAIN;
		return TLS_STEP_WAIT;
	case SSL_ERROR_SYSCALL:
		t->is_broken = true;
		errno = saved != 0 ? saved : ECONNRESET;
		(void)str_copy(t->error, sizeof(t->error), strerror(errno));
		ERR_clear_error();
		return TLS_STEP_FAILED;
	default:
		t->is_broken = true;
		(void)str_fmt(t->error, sizeof(t->error), "TLS: %s", reason());
		errno = EPROTO;
		return TLS_STEP_FAILED;
	}
}

static void
take_info(struct tls *t)
{
	struct tls_info *info = &t->info;
	const char *name;
	long result;

	t->has_info = true;
	info->version = SSL_get_version(t->ssl);
	info->cipher = SSL_get_cipher_name(t->ssl);
	info->bits = SSL_get_cipher_bits(t->ssl, NULL);
	info->is_resumed = SSL_session_reused(t->ssl) == 1;
	if (t->is_server) {
		name = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
		if (name != NULL)
			str_printable(info->name, sizeof(info->name), name,
				      strlen(name));
		return;
	}
	result = SSL_get_verify_result(t->ssl);
	info->is_verified = result == X509_V_OK && info->name[0] != '\0' &&
			    SSL_get0_peer_certificate(t->ssl) != NULL;
	if (!info->is_verified)
		(void)str_copy(info->why, sizeof(info->why),
			       result != X509_V_OK
				       ? X509_verify_cert_error_string(result)
				       : "no name to compare");
}

void
tls_give(struct tls *t, struct span early)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL || early.len > INT_MAX || t->early != NULL ||
	    BIO_write(bio, early.p, (int)early.len) != (int)early.len) {
		/* The handshake then fails for want of them. */
		BIO_free(bio);
		return;
	}
	(void)BIO_set_mem_eof_return(bio, -1);
	t->early = bio;
}

/* One step, first on what came early, then on the socket. */
static int
step_handshake(struct tls *t, int fd)
{
	int rc = SSL_do_handshake(t->ssl);

	if (rc == 1 || t->early == NULL ||
	    SSL_get_error(t->ssl, rc) != SSL_ERROR_WANT_READ ||
	    BIO_pending(t->early) > 0)
		return rc;
	t->early = NULL;
	if (SSL_set_rfd(t->ssl, fd) != 1)
		return rc;
	return SSL_do_handshake(t->ssl);
}

static bool
set_socket(struct tls *t, int fd)
{
	if (SSL_get_wfd(t->ssl) >= 0)
		return true;
	if (SSL_set_fd(t->ssl, fd) != 1)
		return false;
	if (t->early != NULL)
		SSL_set0_rbio(t->ssl, t->early);
	return true;
}

enum tls_step
tls_handshake(struct tls *t, int fd)
{
	enum tls_step step;
	int rc;

	ERR_clear_error();
	if (t->ssl == NULL || !set_socket(t, fd)) {
		t->is_broken = true;
		(void)str_copy(t->error, sizeof(t->error),
			       "TLS: no session can be made");
		errno = EPROTO;
		return TLS_STEP_FAILED;
	}
	errno = 0;
	rc = step_handshake(t, fd);
	if (rc == 1) {
		take_info(t);
		return TLS_STEP_DONE;
	}
	step = outcome(t, rc);
	if (step != TLS_STEP_DONE)
		return step;
	t->is_broken = true;
	(void)str_copy(t->error, sizeof(t->error),
		       "TLS: closed in the handshake");
	errno = EPROTO;
	return TLS_STEP_FAILED;
}

ssize_t
tls_read(struct tls *t, void *p, size_t n)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_read(t->ssl, p, n > INT_MAX ? INT_MAX : (int)n);
	if (rc > 0)
		return rc;
	return outcome(t, rc) == TLS_STEP_DONE ? 0 : -1;
}

ssize_t
tls_write(struct tls *t, const void *p, size_t n)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_write(t->ssl, p, n > INT_MAX ? INT_MAX : (int)n);
	if (rc > 0)
		return rc;
	if (outcome(t, rc) == TLS_STEP_DONE)
		errno = EPIPE;
	return -1;
}

int
tls_waits_for(const struct tls *t)
{
	return t->waits_for;
}

void
tls_shut(struct tls *t)
{
	ERR_clear_error();
	if (t->has_info && !t->is_broken)
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

const char *
tls_error(const struct tls *t)
{
	return t->error;
}

const struct tls_info *
tls_info(const struct tls *t)
{
	return t->has_info ? &t->info : NULL;
}
