/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The message is read once; then each policy is walked alone, so that one
 * recipient's verdict never depends on the others'.
 */
#include "runner.h"

#include <string.h>

#include "body.h"
#include "envelope.h"
#include "setting.h"
#include "str.h"
#include "test_hook.h"

/* Takes the next policy off the blob; 1, 0 at its end, -1 malformed. */
static int
next_policy(struct span *in, struct span *policy)
{
	const unsigned char *p = (const unsigned char *)in->p;
	size_t len;

	if (in->len == 0)
		return 0;
	if (in->len < 4)
		return -1;
	len = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
	      (size_t)p[3] << 24;
	if (len > in->len - 4)
		return -1;
	policy->p = in->p + 4;
	policy->len = len;
	in->p += 4 + len;
	in->len -= 4 + len;
	return 1;
}

/* The edits of one policy as bytes. */
static int
make_edits(const struct knobs *k, const char *name, struct buf *out,
	   struct err *e)
{
	char field[KNOB_TEXT_SIZE + 64];
	struct edit edit = { .offset = 0 };

	if (!k->id_header)
		return 0;
	if (!str_fmt(field, sizeof(field), "%sID: %s\r\n", k->header_prefix,
		     name))
		return err_set(e, "name of the message is too long");
	edit.text = span_of(field);
	return edits_write(&edit, 1, out, e);
}

static int
judge(struct chan *c, uint32_t token, const char *name, uint32_t index,
      struct span policy, struct err *e)
{
	struct frame_verdict v = { .policy = index, .action = ACTION_DELIVER };
	struct buf edits = { .limit = PROTO_FRAME_MAX };
	struct knobs k;
	int rc;

	knobs_default(&k);
	rc = knobs_read(policy, &k, e);
	if (rc == 0)
		rc = make_edits(&k, name, &edits, e);
	if (rc == 0) {
		if (k.hold_mail) {
			v.action = ACTION_HOLD;
			v.reason = "hold_mail";
		}
		v.edits = buf_span(&edits);
		rc = chan_send(c, FRAME_verdict, token, &v, -1);
		if (rc != 0)
			err_set(e, "verdict: %s", chan_error(c));
	}
	buf_release(&edits);
	return rc;
}

static int
judge_all(struct chan *c, uint32_t token, const struct frame_scan *scan,
	  struct err *e)
{
	struct span rest = scan->policies, policy;
	uint32_t index = 0;
	int got;

	while ((got = next_policy(&rest, &policy)) > 0) {
		if (judge(c, token, scan->name, index, policy, e) != 0)
			return err_prefix(e, "policy %lu",
					  (unsigned long)index);
		index++;
	}
	if (got < 0 || index != scan->policy_count)
		return err_set(e, "policies are malformed");
	return 0;
}

/* What the filters look for in a block: so far only tests look. */
static int
look_at(void *arg, uint64_t offset, struct span block, struct err *e)
{
	(void)arg;
	(void)offset;
	(void)e;
	test_hook_feed(block);
	return 0;
}

int
runner_scan(struct chan *c, uint32_t token, const struct frame_scan *scan,
	    int fd)
{
	struct frame_scan_done done = { .status = SCAN_DONE };
	struct err e = { "" };

	test_hook_start();
	if (body_walk(fd, scan->size, look_at, NULL, &e) != 0 ||
	    judge_all(c, token, scan, &e) != 0)
		done.status = SCAN_LATER;
	e.text[400] = '\0';
	done.text = e.text;
	return chan_send(c, FRAME_scan_done, token, &done, -1);
}
