/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SHA-256 against the vectors of FIPS 180-4, whole and in pieces.
 */
#include "sha256.h"

#include "check.h"
#include "xalloc.h"

static const struct {
	const char *text;
	const char *sum;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb924"
	      "27ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223"
		 "b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039"
	  "a33ce45964ff2167f6ecedd419db06c1" },
};

static void
check_vectors(void)
{
	unsigned char sum[SHA256_SIZE];
	char hex[SHA256_HEX];
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		sha256_of(vectors[i].text, strlen(vectors[i].text), sum);
		sha256_hex(sum, hex);
		CHECK_STR(hex, vectors[i].sum, "sum of \"%s\"",
			  vectors[i].text);
	}
}

/* A million times "a", in pieces of every size up to 150. */
static void
check_pieces(void)
{
	unsigned char sum[SHA256_SIZE];
	char hex[SHA256_HEX];
	size_t at, n, size = 1;
	char *a = xmalloc(150);
	struct sha256 s;

	memset(a, 'a', 150);
	sha256_init(&s);
	for (at = 0; at < 1000000; at += n) {
		n = 1000000 - at < size ? 1000000 - at : size;
		sha256_update(&s, a, n);
		size = size % 150 + 1;
	}
	sha256_final(&s, sum);
	sha256_hex(sum, hex);
	CHECK_STR(hex,
		  "cdc76e5c9914fb9281a1c7e284d73e67"
		  "f1809a48a497200e046d39ccc7112cd0",
		  "a million letters in pieces");
	free(a);
}

int
main(void)
{
	check_vectors();
	check_pieces();
	return check_done();
}
