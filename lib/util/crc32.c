/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CRC-32 of IEEE 802.3, eight bytes a step.  The tables are made before
 * main().
 */
#include "str.h"

#include <endian.h>
#include <string.h>

#define CRC_POLY 0xedb88320U /* bits reversed */

static uint32_t table[8][256];

static void make_tables(void) __attribute__((constructor));

static void
make_tables(void)
{
	uint32_t c;
	unsigned i, k;

	for (i = 0; i < 256; i++) {
		c = i;
		for (k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? CRC_POLY : 0);
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			table[k][i] = table[k - 1][i] >> 8 ^
				      table[0][table[k - 1][i] & 0xff];
}

uint32_t
crc32_update(uint32_t crc, const void *p, size_t len)
{
	const unsigned char *s = p;
	uint64_t m;

	crc = ~crc;
	for (; len >= 8; len -= 8, s += 8) {
		memcpy(&m, s, 8);
		m = le64toh(m) ^ crc;
		crc = table[7][m & 0xff] ^ table[6][m >> 8 & 0xff] ^
		      table[5][m >> 16 & 0xff] ^ table[4][m >> 24 & 0xff] ^
		      table[3][m >> 32 & 0xff] ^ table[2][m >> 40 & 0xff] ^
		      table[1][m >> 48 & 0xff] ^ table[0][m >> 56];
	}
	for (; len > 0; len--, s++)
		crc = crc >> 8 ^ table[0][(crc ^ *s) & 0xff];
	return ~crc;
}
