/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Answers of DNS servers as they come off the wire: the first byte is the
 * type that was asked for, the rest the packet; and the same bytes as a
 * resolv.conf.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf records = { 0 };
	struct dns_conf conf = { .forwarder_count = 0 };
	struct span in;
	uint32_t ttl = 0;
	size_t at = 0;
	int rcode = 0;

	if (size < 1)
		return 0;
	in = (struct span){ (const char *)data + 1, size - 1 };
	if (dns_read_packet(in, data[0], &records, &ttl, &rcode) == 0) {
		if (records.len > DNS_RECORDS_MAX || rcode < 0 || rcode > 15)
			abort();
		while (at < records.len) {
			if (records.len - at < 2)
				abort();
			at += 2 + ((uint8_t)records.data[at] |
				   (size_t)(uint8_t)records.data[at + 1] << 8);
		}
		if (at != records.len)
			abort();
	}
	dns_conf_resolv(&conf, in);
	if (conf.forwarder_count > DNS_FORWARDERS_MAX)
		abort();
	buf_release(&records);
	return 0;
}
