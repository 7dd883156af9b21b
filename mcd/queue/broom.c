/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A list of paths and a timer.
 */
#include "broom.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"
#include "log.h"
#include "loop.h"
#include "str.h"
#include "xalloc.h"

#define LITTER_MAX 10000 /* more is left to the next start */
#define WAIT_FIRST_MS 1000
#define WAIT_MAX_MS 60000

struct litter {
	struct list node;
	char envelope[SPOOL_PATH_SIZE]; /* durably gone before the body */
	char body[SPOOL_PATH_SIZE];
};

static struct {
	struct list all;
	size_t count;
	int64_t wait_ms;
	struct timer timer;
} self;

static int
sweep(const char *path)
{
	if (unlinkat(keep_fd(), path, 0) == 0 || errno == ENOENT)
		return 0;
	log_warn("%s left reason=%s", path, log_text(strerror(errno)));
	return -1;
}

static void
keep_litter(struct litter *l)
{
	list_push(&self.all, &l->node);
	if (!timer_is_set(&self.timer))
		timer_set(&self.timer, self.wait_ms);
}

static void
add(const char *envelope, const char *body)
{
	struct litter *l;

	if (self.count >= LITTER_MAX) {
		log_warn("%s%s left to the next start", envelope, body);
		return;
	}
	self.count++;
	l = xcalloc(1, sizeof(*l));
	(void)str_copy(l->envelope, sizeof(l->envelope), envelope);
	(void)str_copy(l->body, sizeof(l->body), body);
	keep_litter(l);
}

static void
sweep_body(struct litter *l)
{
	if (l->body[0] != '\0' && sweep(l->body) != 0) {
		keep_litter(l);
		return;
	}
	if (--self.count == 0)
		self.wait_ms = WAIT_FIRST_MS;
	free(l);
}

static void
on_unlinked(struct commit_op *op, int result, const struct err *e)
{
	struct litter *l = op->arg;

	if (result != 0) {
		log_warn("%s left reason=%s", l->envelope, log_text(e->text));
		keep_litter(l);
	} else {
		l->envelope[0] = '\0';
		sweep_body(l);
	}
	commit_op_free(op);
}

static void
on_timer(void *arg)
{
	struct list todo, *n;
	struct commit_op *op;
	struct litter *l;

	(void)arg;
	self.wait_ms =
		self.wait_ms * 2 < WAIT_MAX_MS ? self.wait_ms * 2 : WAIT_MAX_MS;
	list_init(&todo);
	list_splice(&todo, &self.all);
	while ((n = list_pop(&todo)) != NULL) {
		l = list_entry(n, struct litter, node);
		if (l->envelope[0] == '\0') {
			sweep_body(l);
			continue;
		}
		op = commit_op_new(0, 1);
		(void)str_copy(op->unlinks[0], SPOOL_PATH_SIZE, l->envelope);
		op->must_unlink = true;
		op->done = on_unlinked;
		op->arg = l;
		committer_submit(op);
	}
}

void
broom_init(void)
{
	memset(&self, 0, sizeof(self));
	list_init(&self.all);
	self.wait_ms = WAIT_FIRST_MS;
	timer_init(&self.timer, on_timer, NULL);
}

void
broom_path(const char *path)
{
	if (sweep(path) != 0)
		add("", path);
}

void
broom_body(const char *body)
{
	char path[SPOOL_PATH_SIZE];

	spool_body_path(body, path);
	broom_path(path);
}

void
broom_op(const struct commit_op *op)
{
	const char *envelope = "", *body = "";
	const struct commit_file *f;
	size_t i;

	for (i = 0; i < op->file_count; i++) {
		f = &op->files[i];
		if (f->is_left && f->is_body)
			body = f->path;
		if (f->is_left && (!f->is_body || f->link[0] != '\0'))
			envelope = f->is_body ? f->link : f->path;
		if (f->is_left_tmp)
			add("", f->tmp);
	}
	if (envelope[0] != '\0' || body[0] != '\0')
		add(envelope, body);
}

void
broom_release(void)
{
	struct list *n;

	while ((n = list_pop(&self.all)) != NULL)
		free(list_entry(n, struct litter, node));
	timer_release(&self.timer);
}
