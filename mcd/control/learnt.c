/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A snapshot is a new file each time, put in place by a rename: a change
 * of its inode or time is a new one.
 */
#include "learnt.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "loop.h"
#include "peer.h"
#include "str.h"
#include "tokens.h"

#define LOOK_MS 1000

static struct {
	char path[1100];
	struct stat sent; /* st_ino 0: none */
	struct timer timer;
} self;

void
learnt_tell(void)
{
	struct frame_learnt body;
	peer_id p = peer_of(ROLE_FILTER);
	struct stat st;
	int fd;

	if (p == 0)
		return;
	fd = open(self.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		file_shut(&fd);
		return;
	}
	self.sent = st;
	body.size = (uint64_t)st.st_size;
	(void)peer_note(p, FRAME_learnt, &body, fd);
}

static void
look(void *arg)
{
	struct stat st;

	(void)arg;
	timer_set(&self.timer, LOOK_MS);
	if (stat(self.path, &st) == 0 &&
	    (st.st_ino != self.sent.st_ino || st.st_size != self.sent.st_size ||
	     st.st_mtim.tv_sec != self.sent.st_mtim.tv_sec ||
	     st.st_mtim.tv_nsec != self.sent.st_mtim.tv_nsec))
		learnt_tell();
}

void
learnt_start(const char *dir)
{
	(void)str_fmt(self.path, sizeof(self.path), "%s/%s", dir, TOKENS_MAP);
	timer_init(&self.timer, look, NULL);
	look(NULL);
}

void
learnt_stop(void)
{
	timer_release(&self.timer);
}
