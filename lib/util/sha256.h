/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SHA-256 (FIPS 180-4), for naming contents; in pieces or at once.
 */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX (2 * SHA256_SIZE + 1) /* with its NUL */

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	unsigned char block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *p, size_t len);
void sha256_final(struct sha256 *s, unsigned char out[SHA256_SIZE]);
void sha256_of(const void *p, size_t len, unsigned char out[SHA256_SIZE]);
/* Lower-case hex. */
void sha256_hex(const unsigned char sum[SHA256_SIZE], char out[SHA256_HEX]);

#endif
