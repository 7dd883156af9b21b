/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What was asked for and is not waited for any more is given back here.
 */
#include "worker_late.h"

#include "file.h"
#include "log.h"
#include "worker_rbl.h"

bool
worker_late(struct chan *c, struct frame *f)
{
	struct frame_spamd_done done;

	if (f->type == FRAME_spamd_reply && f->fd >= 0) {
		done.ticket = FRAME_BODY(f, spamd_reply)->ticket;
		file_shut(&f->fd);
		(void)chan_send(c, FRAME_spamd_done, 0, &done, -1);
	}
	if (f->type == FRAME_spamd_reply)
		return true;
	if (f->type == FRAME_dns_reply || worker_rbl_take(f))
		return true;
	log_error("pool: frame %s is not due", f->info->name);
	file_shut(&f->fd);
	return false;
}
