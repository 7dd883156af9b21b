/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SipHash-1-3 (Aumasson and Bernstein), keyed once per process.  The key
 * is drawn before main(), so that no jail stands in the way.
 */
#include "dict.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

static uint64_t hash_key[2];

static void draw_key(void) __attribute__((constructor));

static void
draw_key(void)
{
	const void *aux;
	ssize_t n;

	do {
		n = getrandom(hash_key, sizeof(hash_key), 0);
	} while (n == -1 && errno == EINTR);
	if (n == (ssize_t)sizeof(hash_key))
		return;
	/* A kernel that refuses still gave 16 random bytes at exec. */
	aux = (const void *)getauxval(AT_RANDOM);
	if (aux != NULL)
		memcpy(hash_key, aux, sizeof(hash_key));
}

static inline uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t
hash_keyed(const uint64_t key[2], const void *p, size_t len)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575,
			  key[1] ^ 0x646f72616e646f6d,
			  key[0] ^ 0x6c7967656e657261,
			  key[1] ^ 0x7465646279746573 };
	const unsigned char *s = p;
	uint64_t last = (uint64_t)len << 56;
	uint64_t m;
	size_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&m, s + i, 8);
		m = le64toh(m);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (; i < len; i++)
		last |= (uint64_t)s[i] << (8 * (i & 7));
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
hash_bytes(const void *p, size_t len)
{
	return hash_keyed(hash_key, p, len);
}
