/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tlscert.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "ip.h"
#include "str.h"

static void
need(bool is_so, const char *what)
{
	if (is_so)
		return;
	printf("Bail out! tlscert: %s\n", what);
	exit(1);
}

static void
take(BIO *bio, struct buf *out)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	need(len > 0 && buf_add(out, data, (size_t)len) == 0, "PEM");
	BIO_free(bio);
}

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	need(ext != NULL && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

void
tlscert_make(const char *name, int days, const char *password,
	     struct buf *cert_pem, struct buf *key_pem)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	BIO *cert_bio = BIO_new(BIO_s_mem());
	BIO *key_bio = BIO_new(BIO_s_mem());
	X509_NAME *subject;
	struct ip ip;
	char names[300];

	need(key != NULL && cert != NULL && cert_bio != NULL && key_bio != NULL,
	     "no memory");
	need(str_fmt(names, sizeof(names), "%s:%s",
		     ip_parse(name, &ip, NULL) == 0 ? "IP" : "DNS", name),
	     "name");
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), rand());
	X509_gmtime_adj(X509_getm_notBefore(cert), -2L * 86400 * 365);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * days + 3600);
	X509_set_pubkey(cert, key);
	subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(cert, NID_subject_alt_name, names);
	need(X509_sign(cert, key, EVP_sha256()) > 0, "signature");
	need(PEM_write_bio_X509(cert_bio, cert) == 1, "certificate");
	need(PEM_write_bio_PrivateKey(
		     key_bio, key, password == NULL ? NULL : EVP_aes_128_cbc(),
		     NULL, 0, NULL, (void *)(uintptr_t)password) == 1,
	     "key");
	take(cert_bio, cert_pem);
	take(key_bio, key_pem);
	X509_free(cert);
	EVP_PKEY_free(key);
}
