/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads what dns.c wrote out.  It may have come through other processes:
 * every length is checked again.
 */
#include "records.h"

#include <string.h>

bool
dns_record_next(struct span *records, struct span *rdata)
{
	const unsigned char *p = (const unsigned char *)records->p;
	size_t len;

	if (records->len < 2)
		return false;
	len = (size_t)p[0] | (size_t)p[1] << 8;
	if (len > records->len - 2)
		return false;
	rdata->p = records->p + 2;
	rdata->len = len;
	records->p += 2 + len;
	records->len -= 2 + len;
	return true;
}

size_t
dns_record_count(struct span records)
{
	struct span rdata;
	size_t count = 0;

	while (dns_record_next(&records, &rdata))
		count++;
	return count;
}

bool
dns_record_name(struct span rdata, size_t at, char dst[DNS_NAME_SIZE])
{
	size_t used = 0, i;

	while (at < rdata.len && rdata.p[at] != 0) {
		size_t len = (unsigned char)rdata.p[at++];

		if (len > DNS_LABEL_MAX || len > rdata.len - at ||
		    used + len + 1 > DNS_NAME_MAX + 1)
			return false;
		if (used > 0)
			dst[used++] = '.';
		for (i = 0; i < len; i++) {
			unsigned char c = (unsigned char)rdata.p[at + i];

			if (c <= ' ' || c >= 0x7f || c == '\\' || c == '.')
				return false;
			dst[used++] = (char)c;
		}
		at += len;
	}
	dst[used] = '\0';
	return at < rdata.len;
}

int
dns_record_text(struct span rdata, struct buf *out)
{
	size_t at = 0;

	while (at < rdata.len) {
		size_t len = (unsigned char)rdata.p[at++];

		if (len > rdata.len - at || buf_add(out, rdata.p + at, len) < 0)
			return -1;
		at += len;
	}
	return 0;
}

bool
dns_name_is_valid(const char *name)
{
	size_t label = 0, len = 0;

	for (; *name != '\0'; name++, len++) {
		if (*name == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if ((unsigned char)*name < ' ' || ++label > DNS_LABEL_MAX)
			return false;
	}
	/* Only the final dot leaves an empty label behind. */
	return len > 0 && len - (label == 0) <= DNS_NAME_MAX;
}
