/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A row of a DNS list, then a record that it answers with: what is read is
 * written the same, and no record is a hit that no reply fits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rbl.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_round(const struct rbl *r)
{
	struct buf text = { 0 }, again = { 0 };
	struct rbl back;

	rbl_write(r, &text);
	/* Points may be written longer than they were. */
	if (text.len <= RBL_VALUE_MAX) {
		if (rbl_read(&back, r->name, buf_str(&text), NULL) != 0)
			abort();
		rbl_write(&back, &again);
		if (!str_eq(buf_str(&text), buf_str(&again)))
			abort();
	}
	buf_release(&text);
	buf_release(&again);
}

static void
check_queries(const struct rbl *r)
{
	char name[RBL_QUERY_SIZE];
	unsigned bit;

	for (bit = RBL_IP4; bit <= RBL_HOST; bit <<= 1)
		if (!rbl_query_test(r, (enum rbl_what)bit, true, name) ||
		    strlen(name) > 253)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[64] = "", value[RBL_VALUE_MAX + 64];
	char symptom[RBL_SYMPTOM_SIZE];
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t len = nul != NULL ? (size_t)(nul - data) : size;
	struct span rest = { (const char *)data + len,
			     nul != NULL ? size - len : 0 };
	uint32_t hits = 0;
	struct rbl r;
	unsigned i;

	if (len >= sizeof(value))
		return 0;
	memcpy(value, data, len);
	value[len] = '\0';
	(void)str_copy(name, sizeof(name), "list");
	if (rbl_read(&r, name, value, NULL) != 0)
		return 0;
	check_round(&r);
	check_queries(&r);
	if (rest.len > 0) {
		rest.p++;
		rest.len--;
	}
	if (rbl_take(&r, rest, &hits, NULL) != (hits != 0))
		abort();
	for (i = 0; i < r.reply_count; i++)
		rbl_symptom(&r, i, symptom);
	if (hits != 0 && (r.reply_count < 32 && hits >> r.reply_count != 0))
		abort();
	return 0;
}
