/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xorshift64*, seeded by the kernel once.
 */
#include "chance.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"

static uint64_t
chance(void)
{
	static uint64_t x;

	if (x == 0 && getrandom(&x, sizeof(x), GRND_NONBLOCK) != sizeof(x))
		x = (uint64_t)clock_mono_us();
	x |= x == 0;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 0x2545f4914f6cdd1d;
}

static void
swap(unsigned char *a, unsigned char *b, size_t size)
{
	unsigned char c;

	while (size-- > 0) {
		c = *a;
		*a++ = *b;
		*b++ = c;
	}
}

void
chance_shuffle(void *things, size_t n, size_t size)
{
	unsigned char *p = things;
	size_t i, k;

	for (i = n; i > 1; i--) {
		/* The top bits: the lowest are the weakest. */
		k = (size_t)((chance() >> 16) % i);
		if (k != i - 1)
			swap(p + k * size, p + (i - 1) * size, size);
	}
}
