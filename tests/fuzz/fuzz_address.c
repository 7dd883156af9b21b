/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes paths, mailboxes and domains.  The first byte holds the flags.
 * What is taken is read back to the same, alone and in brackets.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_address(const struct address *a, int flags)
{
	size_t len = strlen(a->text);
	char path[ADDRESS_TEXT_SIZE + 2];
	struct address again;
	size_t used;

	must(len <= ADDRESS_PATH_MAX - 2 && a->local_len <= ADDRESS_LOCAL_MAX);
	must(str_is_utf8(a->text, len));
	must(a->is_utf8 ? (flags & ADDRESS_ALLOW_UTF8) != 0 : true);
	if (a->domain_at > 0) {
		must(a->domain_at == a->local_len + 1);
		must(a->text[a->local_len] == '@');
		must(a->is_literal == (address_domain(a)[0] == '['));
	} else {
		must(a->local_len == len);
		must(address_domain(a)[0] == '\0');
	}
	must(address_parse(span_of(a->text), flags, &again, NULL) == 0);
	must(memcmp(a, &again, sizeof(again)) == 0);
	must(str_fmt(path, sizeof(path), "<%s>", a->text));
	must(address_parse_path(span_of(path), flags, &again, &used, NULL) ==
	     0);
	must(used == strlen(path) && memcmp(a, &again, sizeof(again)) == 0);
}

static void
check_domain(const char *domain)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	char again[ADDRESS_DOMAIN_MAX + 1];

	if (address_domain_key(domain, key, NULL) < 0) {
		must(!address_is_domain(domain));
		return;
	}
	must(address_domain_key(key, again, NULL) == 0);
	must(str_eq(key, again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address a;
	struct err e;
	struct span in;
	char *domain;
	size_t used;
	int flags;

	if (size == 0)
		return 0;
	flags = data[0] & (ADDRESS_ALLOW_NULL | ADDRESS_ALLOW_UTF8 |
			   ADDRESS_ALLOW_POSTMASTER);
	in = (struct span){ (const char *)data + 1, size - 1 };
	e.text[0] = '\0';
	if (address_parse_path(in, flags, &a, &used, &e) == 0) {
		must(used >= 2 && used <= in.len && in.p[used - 1] == '>');
		check_address(&a, flags);
	} else {
		must(e.text[0] != '\0');
	}
	if (address_parse(in, flags, &a, NULL) == 0) {
		must(strlen(a.text) == in.len);
		check_address(&a, flags);
		if (a.domain_at > 0)
			must(address_domain_key(
				     address_domain(&a),
				     (char[ADDRESS_DOMAIN_MAX + 1]){ 0 },
				     NULL) == 0);
	}
	domain = strndup(in.p, in.len);
	check_domain(domain);
	free(domain);
	return 0;
}
