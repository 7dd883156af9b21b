/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes a spool with many deferred messages, as a dead destination leaves
 * them, or with as many in another state: fill_spool DIR COUNT DOMAIN
 * [STATE].  Nothing is synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "file.h"
#include "spool.h"
#include "str.h"

static const char body[] = "Subject: one of many\r\n\r\nHello.\r\n";

static void
put(int fd, const char *path, const void *p, size_t len)
{
	int out = file_open(fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (out < 0 || file_write_all(out, p, len) < 0 || close(out) < 0) {
		fprintf(stderr, "fill_spool: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void
one_message(int fd, int64_t now_us, uint64_t n, const char *domain,
	    enum state state)
{
	struct id_parts id = { .wall_us = now_us - (int64_t)(n + 1) * 700000,
			       .sequence = (unsigned)(n & 0xffff) };
	char path[SPOOL_PATH_SIZE];
	char address[300];
	struct envelope env;
	static struct arena arena;
	struct rcpt rcpt = { .orcpt = "", .notify = "", .attempts = 3 };
	struct buf text = { 0 };
	struct err e;

	envelope_init(&env);
	id_make(&id, env.name);
	str_fmt(address, sizeof(address), "user%llu@%s", (unsigned long long)n,
		domain);
	rcpt.address = address;
	rcpt.status = "451 4.2.1 mailbox busy";
	env.generation = 4;
	env.body = env.name;
	env.size = sizeof(body) - 1;
	env.received_us = id.wall_us;
	env.sender = "sender@load.example";
	env.client_ip = "192.0.2.1";
	env.helo = "load.example";
	env.subject = arena_printf(&arena, "one of many, number %llu",
				   (unsigned long long)n);
	env.reason = state == STATE_QUARANTINE ? "spam 7.5/5.0" : "";
	env.is_spam = state == STATE_QUARANTINE;
	env.message_id = "<many@load.example>";
	env.next_attempt_ms = now_us / 1000 + 3600000;
	env.rcpts = &rcpt;
	env.rcpt_count = 1;
	if (envelope_write(&env, &text, &e) < 0) {
		fprintf(stderr, "fill_spool: %s\n", e.text);
		exit(1);
	}
	spool_body_path(env.name, path);
	put(fd, path, body, sizeof(body) - 1);
	spool_envelope_path(state, env.name, path);
	put(fd, path, text.data, text.len);
	buf_release(&text);
	arena_clear(&arena);
}

int
main(int argc, char **argv)
{
	int64_t now_us = clock_wall_us();
	enum state state = STATE_OUTGOING;
	uint64_t count;
	struct err e;
	int fd;

	if (argc < 4 || argc > 5 || str_to_u64(argv[2], &count, &e) < 0 ||
	    (argc == 5 && state_parse(argv[4], &state) != 0)) {
		fprintf(stderr, "usage: fill_spool DIR COUNT DOMAIN [STATE]\n");
		return 64;
	}
	if (file_mkdirs(argv[1], 0700, &e) < 0)
		goto fail;
	fd = file_open(AT_FDCWD, argv[1], O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || spool_make_folders(fd, &e) < 0)
		goto fail;
	for (uint64_t n = 0; n < count; n++)
		one_message(fd, now_us, n, argv[3], state);
	return 0;
fail:
	fprintf(stderr, "fill_spool: %s\n", e.text);
	return 1;
}
