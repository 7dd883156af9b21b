/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SHA-256 as FIPS 180-4 writes it.
 */
#include "sha256.h"

#include <string.h>

/* clang-format off */
static const uint32_t round_key[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
/* clang-format on */

static uint32_t
rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t
load(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
schedule(uint32_t w[64], const unsigned char *p)
{
	int i;

	for (i = 0; i < 16; i++)
		w[i] = load(p + (size_t)4 * (size_t)i);
	for (; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		a = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		b = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
}

/* v is a to h of FIPS 180-4 section 6.2.2. */
static void
block(uint32_t state[8], const unsigned char *p)
{
	uint32_t w[64], v[8], t1, t2;
	int i;

	schedule(w, p);
	memcpy(v, state, sizeof(v));
	for (i = 0; i < 64; i++) {
		t1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		t1 += v[7] + ((v[4] & v[5]) ^ (~v[4] & v[6]));
		t1 += round_key[i] + w[i];
		t2 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		t2 += (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		state[i] += v[i];
}

void
sha256_init(struct sha256 *s)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372,
					   0xa54ff53a, 0x510e527f, 0x9b05688c,
					   0x1f83d9ab, 0x5be0cd19 };

	memcpy(s->state, start, sizeof(start));
	s->bytes = 0;
}

void
sha256_update(struct sha256 *s, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t have = s->bytes % sizeof(s->block);
	size_t n;

	s->bytes += len;
	while (len > 0) {
		if (have == 0 && len >= sizeof(s->block)) {
			block(s->state, p);
			n = sizeof(s->block);
		} else {
			n = sizeof(s->block) - have;
			n = n < len ? n : len;
			memcpy(s->block + have, p, n);
			have = (have + n) % sizeof(s->block);
			if (have == 0)
				block(s->state, s->block);
		}
		p += n;
		len -= n;
	}
}

void
sha256_final(struct sha256 *s, unsigned char out[SHA256_SIZE])
{
	static const unsigned char pad[64] = { 0x80 };
	uint64_t bits = s->bytes * 8;
	size_t have = s->bytes % sizeof(s->block);
	unsigned char length[8];
	size_t i;

	for (i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_update(s, pad, have < 56 ? 56 - have : 120 - have);
	sha256_update(s, length, sizeof(length));
	for (i = 0; i < SHA256_SIZE; i++)
		out[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void
sha256_of(const void *p, size_t len, unsigned char out[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s);
	if (len > 0)
		sha256_update(&s, p, len);
	sha256_final(&s, out);
}

void
sha256_hex(const unsigned char sum[SHA256_SIZE], char out[SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < SHA256_SIZE; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[2 * SHA256_SIZE] = '\0';
}
