/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The worker's side.  The pool gives a connection back for one that dies.
 */
#include "worker_spamd.h"

#include "clock.h"
#include "file.h"
#include "str.h"
#include "worker_late.h"

#define GRACE_MS 2000 /* pool and lookup end it first */

/* Of the last question of any message: a late answer is told by it. */
static uint32_t last_token;

/* An answer that came too late for what was asked before has nobody who
 * waits: a connection in it is given back. */
static bool
is_ours(struct worker_spamd *w, struct frame *f)
{
	if (f->type == FRAME_spamd_reply && f->token == w->token)
		return true;
	if (!worker_late(w->c, f))
		w->is_lost = true;
	return false;
}

static enum spamd_status
take_reply(struct worker_spamd *w, struct frame *f, int *fd, char *why,
	   size_t size)
{
	const struct frame_spamd_reply *b = FRAME_BODY(f, spamd_reply);
	enum spamd_status status = (enum spamd_status)b->status;

	(void)str_copy(why, size, b->text);
	if (status == SPAMD_READY && f->fd < 0)
		status = SPAMD_BUSY;
	if (status == SPAMD_READY) {
		w->ticket = b->ticket;
		*fd = f->fd;
		f->fd = -1;
	}
	file_shut(&f->fd);
	return status;
}

static enum spamd_status
open_line(void *arg, int64_t deadline_ms, int *fd, char *why, size_t size)
{
	struct worker_spamd *w = arg;
	int64_t now_ms = clock_mono_ms(), left_ms;
	struct frame_spamd_ask ask;
	struct frame f;
	struct err e;
	int rc;

	(void)str_copy(why, size, "no connection to spamd is free");
	*fd = -1;
	if (w->is_lost || deadline_ms <= now_ms)
		return SPAMD_BUSY;
	if (++last_token == 0)
		last_token = 1;
	w->token = last_token;
	ask.timeout_ms = (uint32_t)(deadline_ms - now_ms);
	if (chan_send(w->c, FRAME_spamd_ask, w->token, &ask, -1) != 0)
		return SPAMD_BUSY;
	deadline_ms += GRACE_MS;
	while (!w->is_lost && (left_ms = deadline_ms - clock_mono_ms()) > 0) {
		rc = chan_wait(w->c, &f, (int)left_ms, &e);
		if (rc < 0)
			w->is_lost = true;
		if (rc <= 0)
			break;
		if (is_ours(w, &f))
			return take_reply(w, &f, fd, why, size);
	}
	return SPAMD_BUSY;
}

static void
end_line(void *arg, int *fd)
{
	struct worker_spamd *w = arg;
	struct frame_spamd_done done = { .ticket = w->ticket };

	if (*fd < 0)
		return;
	file_shut(fd);
	(void)chan_send(w->c, FRAME_spamd_done, 0, &done, -1);
}

struct spamd_asker
worker_spamd_asker(struct worker_spamd *w)
{
	return (struct spamd_asker){ open_line, end_line, w };
}
