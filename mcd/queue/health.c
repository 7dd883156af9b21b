/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The state of the intake, and the probe: a small new file is committed
 * as a message would be, first after a second, then less and less often.
 */
#include "health.h"

#include <string.h>
#include <unistd.h>

#include "committer.h"
#include "keep.h"
#include "log.h"
#include "loop.h"
#include "peer.h"
#include "role.h"
#include "str.h"

#define PROBE_FIRST_MS 1000
#define PROBE_MAX_MS 60000
#define PROBE_TMP "body/00/.probe.tmp"
#define PROBE_PATH "body/00/.probe"

static struct {
	struct err commit; /* "": the disk takes what it is given */
	struct err ledger;
	bool is_stopping;
	bool was_open;
	bool is_probing;
	int64_t wait_ms;
	struct timer timer;
} self;

bool
health_is_open(void)
{
	return health_reason()[0] == '\0';
}

const char *
health_reason(void)
{
	if (self.is_stopping)
		return "mcd is stopping";
	if (self.commit.text[0] != '\0')
		return self.commit.text;
	return self.ledger.text;
}

void
health_tell(void)
{
	struct frame_intake note = {
		.is_open = health_is_open(),
		.reason = health_is_open() ? "" : "the spool cannot be written",
	};

	if (self.is_stopping)
		note.reason = health_reason();
	(void)peer_note(peer_of(ROLE_INCOMING), FRAME_intake, &note, -1);
	stats_set(role_stats(), STAT_intake_open, health_is_open());
}

static void
update(void)
{
	bool is_open = health_is_open();

	if (is_open == self.was_open)
		return;
	self.was_open = is_open;
	if (is_open)
		log_warn("intake open");
	else if (self.is_stopping)
		log_info("intake closed reason=%s", log_text(health_reason()));
	else
		log_error("intake closed reason=%s", log_text(health_reason()));
	health_tell();
}

static void
on_probed(struct commit_op *op, int result, const struct err *e)
{
	commit_op_free(op);
	self.is_probing = false;
	if (result == 0) {
		(void)unlinkat(keep_fd(), PROBE_PATH, 0);
		self.commit.text[0] = '\0';
		self.wait_ms = 0;
		update();
		return;
	}
	self.commit = *e;
	self.wait_ms = self.wait_ms * 2 < PROBE_MAX_MS ? self.wait_ms * 2
						       : PROBE_MAX_MS;
	timer_set(&self.timer, self.wait_ms);
}

static void
probe(void *arg)
{
	struct commit_op *op = commit_op_new(1, 0);

	(void)arg;
	self.is_probing = true;
	(void)str_copy(op->files[0].tmp, SPOOL_PATH_SIZE, PROBE_TMP);
	(void)str_copy(op->files[0].path, SPOOL_PATH_SIZE, PROBE_PATH);
	(void)buf_add_str(&op->files[0].text, "probe\n");
	op->done = on_probed;
	committer_submit(op);
}

void
health_init(void)
{
	memset(&self, 0, sizeof(self));
	self.was_open = true;
	timer_init(&self.timer, probe, NULL);
}

void
health_commit_failed(const struct err *e)
{
	self.commit = *e;
	if (self.wait_ms == 0) {
		self.wait_ms = PROBE_FIRST_MS;
		timer_set(&self.timer, self.wait_ms);
	}
	update();
}

void
health_ledger(const char *why)
{
	(void)str_copy(self.ledger.text, sizeof(self.ledger.text),
		       why != NULL ? why : "");
	update();
}

void
health_stopping(void)
{
	self.is_stopping = true;
	timer_clear(&self.timer);
	update();
}

void
health_release(void)
{
	timer_release(&self.timer);
}
