/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the ledger: the input as a line, as a line with the checksum it
 * should have, and as a file.  An event that is taken is written and read
 * back to the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "buf.h"
#include "ledger.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
is_same(const struct ledger_event *a, const struct ledger_event *b)
{
	return a->at_us == b->at_us && a->verb == b->verb &&
	       str_eq(a->name, b->name) && str_eq(a->rcpt, b->rcpt) &&
	       str_eq(a->sender, b->sender) && str_eq(a->source, b->source) &&
	       str_eq(a->client, b->client) &&
	       str_eq(a->message_id, b->message_id) &&
	       str_eq(a->subject, b->subject) && str_eq(a->relay, b->relay) &&
	       str_eq(a->status, b->status) && str_eq(a->reason, b->reason) &&
	       str_eq(a->who, b->who) && a->size == b->size &&
	       a->delay_ms == b->delay_ms && a->is_recovered == b->is_recovered;
}

static void
check_event(const struct ledger_event *ev)
{
	struct arena a = { .head = NULL };
	struct buf out = { .limit = 0 };
	struct ledger_event back;
	struct span line;

	if (ledger_write(ev, &out) != 0)
		abort();
	line = (struct span){ out.data, out.len - 1 };
	if (memchr(line.p, '\n', line.len) != NULL ||
	    ledger_read(line, &a, &back, NULL) != 0 || !is_same(ev, &back))
		abort();
	arena_release(&a);
	buf_release(&out);
}

static void
check_line(const void *p, size_t len)
{
	struct arena a = { .head = NULL };
	struct ledger_event ev;
	struct err e;

	if (ledger_read((struct span){ p, len }, &a, &ev, &e) == 0)
		check_event(&ev);
	arena_release(&a);
}

static void
check_sealed(const uint8_t *data, size_t size)
{
	struct buf b = { .limit = 0 };

	buf_add(&b, data, size);
	buf_printf(&b, " ~%08lX", (unsigned long)crc32_update(0, data, size));
	check_line(b.data, b.len);
	buf_release(&b);
}

struct counts {
	uint64_t good, bad;
};

static int
count_good(void *arg, const struct ledger_event *ev)
{
	struct counts *c = arg;

	c->good++;
	check_event(ev);
	return 0;
}

static void
count_bad(void *arg, const char *file, uint64_t line, const char *why)
{
	struct counts *c = arg;

	(void)file;
	if (line == 0 || why[0] == '\0')
		abort();
	c->bad++;
}

static void
check_file(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct counts c = { 0, 0 };
	uint64_t offset = 0, lines = 0;
	size_t i;

	if (fd < 0)
		fd = memfd_create("ledger", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) != 0 ||
	    pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (ledger_each_line(fd, "x", &offset, 0, count_good, count_bad, &c,
			     NULL) != 0)
		return;
	for (i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (c.good + c.bad > lines || offset > size)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	check_line(data, size);
	check_sealed(data, size);
	check_file(data, size);
	return 0;
}
