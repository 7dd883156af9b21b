/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last line of a trailer: written, found, and whose it is.
 */
#include "trailer.h"

#include <inttypes.h>
#include <string.h>

#include "dict.h"
#include "str.h"

#define FIRST "mcgate-trailer: "
#define FIRST_LEN (sizeof(FIRST) - 1)
#define CRC_LEN 8 /* behind a space, before the LF */
#define CHECKED (TRAILER_END_SIZE - CRC_LEN - 2)

static uint64_t
seal_of(const struct trailer_key *key, struct span text, uint32_t body_crc)
{
	uint64_t of[3] = { hash_keyed(key->word, text.p, text.len), text.len,
			   body_crc };

	return hash_keyed(key->word, of, sizeof(of));
}

void
trailer_end(const struct trailer_key *key, struct span text, uint32_t body_crc,
	    char dst[TRAILER_END_SIZE])
{
	char line[TRAILER_END_SIZE + 1];

	(void)str_fmt(line, sizeof(line),
		      FIRST "%d %08zx %08" PRIx32 " %016" PRIx64,
		      TRAILER_VERSION, text.len, body_crc,
		      seal_of(key, text, body_crc));
	(void)str_fmt(line + CHECKED, sizeof(line) - CHECKED,
		      " %08" PRIx32 "\n", crc32_update(0, line, CHECKED));
	memcpy(dst, line, TRAILER_END_SIZE);
}

/* Digits lower case digits and a space at *p, which moves behind them. */
static bool
read_hex(const char **p, int digits, uint64_t *out)
{
	const char *s = *p;
	int i;

	*out = 0;
	for (i = 0; i < digits; i++) {
		if (s[i] >= '0' && s[i] <= '9')
			*out = *out << 4 | (uint64_t)(s[i] - '0');
		else if (s[i] >= 'a' && s[i] <= 'f')
			*out = *out << 4 | (uint64_t)(s[i] - 'a' + 10);
		else
			return false;
	}
	*p = s + digits + 1;
	return s[digits] == ' ' || s[digits] == '\n';
}

/* Of any version the line begins with FIRST and a number. */
static bool
is_newer(struct span tail)
{
	const char *line = memrchr(tail.p, '\n', tail.len - 1);
	struct span rest = tail;
	uint64_t version;

	if (tail.p[tail.len - 1] != '\n' || line == NULL)
		return false;
	line++;
	rest.p = line + FIRST_LEN;
	rest.len = (size_t)(tail.p + tail.len - line);
	if (rest.len <= FIRST_LEN || memcmp(line, FIRST, FIRST_LEN) != 0)
		return false;
	rest.len = strcspn(rest.p, " \n");
	return span_to_u64(rest, &version) == 0 && version > TRAILER_VERSION;
}

enum trailer_result
trailer_find(struct span tail, struct trailer *out)
{
	const char *line, *p;
	uint64_t version, len, body, seal, crc;

	if (tail.len < TRAILER_END_SIZE)
		return TRAILER_NONE;
	line = tail.p + tail.len - TRAILER_END_SIZE;
	p = line + FIRST_LEN;
	if (memcmp(line, FIRST, FIRST_LEN) != 0 || !read_hex(&p, 1, &version) ||
	    version != TRAILER_VERSION || !read_hex(&p, 8, &len) ||
	    !read_hex(&p, 8, &body) || !read_hex(&p, 16, &seal) ||
	    !read_hex(&p, CRC_LEN, &crc) || p[-1] != '\n' ||
	    crc != crc32_update(0, line, CHECKED))
		return is_newer(tail) ? TRAILER_NEWER : TRAILER_NONE;
	out->text_len = (uint32_t)len;
	out->body_crc = (uint32_t)body;
	out->seal = seal;
	return TRAILER_OK;
}

bool
trailer_is_sealed(const struct trailer_key *key, struct span text,
		  const struct trailer *t)
{
	return text.len == t->text_len &&
	       seal_of(key, text, t->body_crc) == t->seal;
}
