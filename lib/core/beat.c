/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The parent beats each second; its process is looked for besides, so that
 * one that was killed is down at once.
 */
#include "beat.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "str.h"

#define BEAT_OLD_US 15000000

/* One that has ended, and that nobody has waited for. */
static bool
is_zombie(int64_t pid)
{
	char path[64];
	struct buf text = { 0 };
	const char *state;
	bool is;

	str_fmt(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	if (file_read(path, &text, 4096, NULL) < 0)
		return false;
	state = strrchr(buf_str(&text), ')');
	is = state != NULL && str_has_prefix(state, ") Z");
	buf_release(&text);
	return is;
}

static bool
process_exists(int64_t pid)
{
	return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM) &&
	       !is_zombie(pid);
}

void
beat_take(const struct stats *s, struct beat *b)
{
	bool is_fresh, is_there;

	stats_alive(s, &b->beat_us, &b->started_us, &b->pid);
	is_fresh = clock_wall_us() - b->beat_us < BEAT_OLD_US;
	is_there = process_exists(b->pid);
	b->is_running = is_fresh && is_there;
	b->is_hung = !is_fresh && is_there;
	if (!is_there)
		b->pid = 0;
}
