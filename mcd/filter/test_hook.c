/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Looks for the tests' text in a stream of blocks.
 */
#include "test_hook.h"

#ifdef MCGATE_DEVEL

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "str.h"

#define TEXT_MAX 64

enum hook_what { HOOK_NONE, HOOK_CRASH, HOOK_SPIN, HOOK_HANG };

static struct {
	enum hook_what what;
	char text[TEXT_MAX];
	char tail[TEXT_MAX]; /* the end of the last block */
	size_t tail_len;
} hook;

void
test_hook_init(void)
{
	static const struct {
		const char *prefix;
		enum hook_what what;
	} kinds[] = { { "crash-on:", HOOK_CRASH },
		      { "spin-on:", HOOK_SPIN },
		      { "hang-on:", HOOK_HANG } };
	const char *value = getenv("MCGATE_TEST_WORKER");
	size_t i;

	for (i = 0; value != NULL && i < sizeof(kinds) / sizeof(kinds[0]);
	     i++) {
		if (str_has_prefix(value, kinds[i].prefix) &&
		    str_copy(hook.text, sizeof(hook.text),
			     value + strlen(kinds[i].prefix)))
			hook.what = kinds[i].what;
	}
}

void
test_hook_start(void)
{
	hook.tail_len = 0;
}

static void
act(void)
{
	volatile unsigned turns = 0;

	log_warn("test hook acts on its text");
	if (hook.what == HOOK_CRASH)
		abort();
	while (hook.what == HOOK_SPIN)
		turns++;
	for (;;)
		(void)poll(NULL, 0, -1);
}

void
test_hook_load(void)
{
	const char *path = getenv("MCGATE_TEST_LOAD");

	if (path == NULL || access(path, F_OK) != 0)
		return;
	log_warn("test hook waits");
	while (access(path, F_OK) == 0)
		(void)poll(NULL, 0, 20);
}

void
test_hook_feed(struct span block)
{
	size_t len = strlen(hook.text), keep, take;
	char seam[2 * TEXT_MAX];

	if (hook.what == HOOK_NONE || len == 0)
		return;
	take = block.len < len ? block.len : len;
	memcpy(seam, hook.tail, hook.tail_len);
	memcpy(seam + hook.tail_len, block.p, take);
	if (memmem(seam, hook.tail_len + take, hook.text, len) != NULL ||
	    memmem(block.p, block.len, hook.text, len) != NULL)
		act();
	keep = block.len < len - 1 ? block.len : len - 1;
	memcpy(hook.tail, block.p + block.len - keep, keep);
	hook.tail_len = keep;
}

#endif
