/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The loop of a worker.  It has no event loop: it waits for one scan and
 * does it.  Its log goes to stderr only, since a jailed process cannot
 * reach the system's again once that has restarted.
 */
#include "worker.h"

#include <stdlib.h>
#include <unistd.h>

#include "chan.h"
#include "engine.h"
#include "file.h"
#include "jail.h"
#include "log.h"
#include "runner.h"
#include "test_hook.h"
#include "worker_late.h"

static struct worker_data data;

static void
take_lists(const struct frame *f)
{
	struct err e;

	if (worker_data_lists(&data, f->fd, FRAME_BODY(f, lists)->size, &e) !=
	    0)
		log_error("- lists kept as they were: %s", e.text);
}

static void
take_learnt(const struct frame *f)
{
	struct err e;

	if (worker_data_bayes(&data, f->fd, &e) != 0)
		log_error("- what was learnt stays as it was: %s", e.text);
}

static int
serve(struct chan *c)
{
	struct frame f;
	struct err e;
	int rc = 0;

	while (rc == 0) {
		if (chan_wait(c, &f, -1, &e) < 0) {
			if (e.text[0] == '\0')
				return 0;
			log_error("pool: %s", e.text);
			return 76;
		}
		if (f.type == FRAME_scan)
			rc = runner_scan(c, f.token, FRAME_BODY(&f, scan), f.fd,
					 &data);
		else if (f.type == FRAME_lists)
			take_lists(&f);
		else if (f.type == FRAME_learnt)
			take_learnt(&f);
		else if (f.type == FRAME_breakers)
			data.left_out = FRAME_BODY(&f, breakers)->left_out;
		else
			(void)worker_late(c, &f);
		file_shut(&f.fd);
	}
	return 0; /* the pool went while it was answered */
}

void
worker_run(int channel, bool has_jail, int64_t memory_max)
{
	static const struct frame_ready ready;
	struct chan *c = chan_new(channel, ROLE_WORKER, ROLE_FILTER);
	struct err e;

	log_open("mcd/worker", LOG_TO_STDERR, LOG_LEVEL_INFO);
	test_hook_init();
	if (has_jail && jail_worker(engine_tmp(), memory_max, &e) != 0)
		fatal(77, "jail: %s", e.text);
	if (chan_send(c, FRAME_ready, 0, &ready, -1) != 0)
		_exit(76);
	_exit(serve(c));
}
