/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading what the pool passes on.
 */
#include "data.h"

#include "body.h"
#include "rbl.h"

static int
take_block(void *arg, uint64_t offset, struct span block, struct err *e)
{
	(void)offset;
	if (buf_add_span(arg, block) != 0)
		return err_set(e, "lists: over %d bytes", LISTS_TEXT_MAX);
	return 0;
}

static int
add_use(void *arg, const char *name, const char *value)
{
	unsigned *uses = arg;
	struct rbl r;

	if (rbl_read(&r, name, value, NULL) == 0 && r.is_on)
		*uses |= r.use;
	return 0;
}

int
worker_data_lists(struct worker_data *d, int fd, uint64_t size, struct err *e)
{
	struct buf text = { .limit = LISTS_TEXT_MAX };
	struct lists *fresh = NULL;

	/* By position: all workers share the descriptor's offset. */
	if (body_walk(fd, size, take_block, &text, e) == 0)
		fresh = lists_read(buf_span(&text), e);
	buf_release(&text);
	if (fresh == NULL)
		return -1;
	lists_free(d->lists);
	d->lists = fresh;
	d->rbl_uses = 0;
	(void)lists_each(fresh, "rbl", "global", "", add_use, &d->rbl_uses);
	return 0;
}

int
worker_data_bayes(struct worker_data *d, int fd, struct err *e)
{
	struct tokens_map fresh;

	if (tokens_map_open(fd, &fresh, e) != 0)
		return -1;
	if (d->bayes.base != NULL)
		tokens_map_close(&d->bayes);
	d->bayes = fresh;
	return 0;
}
