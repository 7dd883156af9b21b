/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Notifications (RFC 3464) as messages with source own and the null sender.
 */
#include "bounce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "broom.h"
#include "change.h"
#include "clock.h"
#include "deliver.h"
#include "file.h"
#include "health.h"
#include "intake.h"
#include "keep.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define HEADER_BYTES 65536 /* of the original */

struct bounce {
	struct arena arena;
	struct envelope env;
	bounce_fn *fn;
	void *arg;
	struct timer timer; /* a failure is told later too */
};

/* Whether a word stands in a list "WORD,WORD". */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (n == len && strncasecmp(list, word, n) == 0)
			return true;
		if (list[n] == '\0')
			return false;
	}
}

/* Who is told of what happens to a message from the null path. */
static bool
is_double_due(const struct rcpt *r)
{
	const char *to = role_knobs()->double_bounce_to;

	return to[0] != '\0' && !str_ieq(r->address, to);
}

bool
bounce_is_due(const struct envelope *env, const struct rcpt *r,
	      enum dsn_action action)
{
	static const char *const words[DSN_ACTIONS] = {
		[DSN_FAILED] = "FAILURE",
		[DSN_DELAYED] = "DELAY",
		[DSN_RELAYED] = "SUCCESS",
	};

	if (env->is_spam || env->is_virus)
		return false;
	if (env->sender[0] == '\0')
		return action == DSN_FAILED && is_double_due(r);
	if (r->notify[0] == '\0')
		return action != DSN_RELAYED;
	return has_word(r->notify, words[action]);
}

static void
bounce_end(struct bounce *b, int result)
{
	bounce_fn *fn = b->fn;
	void *arg = b->arg;

	timer_release(&b->timer);
	arena_release(&b->arena);
	free(b);
	fn(arg, result);
}

static void
on_failed(void *arg)
{
	bounce_end(arg, -1);
}

static void
on_durable(struct commit_op *op, int result, const struct err *e)
{
	struct bounce *b = op->arg;
	struct message *m;

	if (result != 0)
		broom_op(op);
	commit_op_free(op);
	if (result != 0) {
		log_error("%s bounce_failed reason=%s", b->env.name,
			  log_text(e->text));
		health_commit_failed(e);
	} else {
		m = message_new(b->env.name, STATE_OUTGOING);
		message_learn(m, &b->env);
		intake_ledger(&b->env, false);
		deliver_enter(m, &b->env, 0, false);
	}
	bounce_end(b, result);
}

/* The first piece of the original; without a body there is none.  -1: it
 * cannot be read now. */
static ssize_t
read_header(const struct envelope *env, char *dst, struct err *e)
{
	enum body_result body;
	size_t got = 0;
	ssize_t n = 0;
	int fd;

	body = keep_body_open(env, &fd, e);
	if (body != BODY_OK)
		return body == BODY_BAD ? 0 : -1;
	while (got < HEADER_BYTES) {
		n = pread(fd, dst + got, HEADER_BYTES - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (n < 0)
		err_sys(e, "body of %s", env->name);
	file_shut(&fd);
	return n < 0 ? -1 : (ssize_t)got;
}

static struct span
header_of(const char *text, size_t len)
{
	struct span header = { text, len };
	const char *end = memmem(text, len, "\r\n\r\n", 4);

	if (end != NULL)
		header.len = (size_t)(end - text) + 2;
	return header;
}

static int
write_text(struct bounce *b, const struct envelope *env,
	   const struct dsn_rcpt *rcpts, size_t count, int64_t retry_until_us,
	   struct buf *out, struct err *e)
{
	char *header = xmalloc(HEADER_BYTES);
	struct dsn d = {
		.id = b->env.name,
		.original_id = env->name,
		.reporting_mta = role_hostname(),
		.to = b->env.rcpts[0].address,
		.envid = env->envid,
		.arrival_us = env->received_us,
		.now_us = b->env.received_us,
		.will_retry_until_us = retry_until_us,
		.rcpts = rcpts,
		.rcpt_count = count,
		.is_utf8 = env->is_utf8,
	};
	ssize_t got = read_header(env, header, e);
	int result = -1;

	if (got >= 0) {
		d.header = header_of(header, (size_t)got);
		result = dsn_write(&d, out, e);
		/* Without SMTPUTF8 it is ASCII, whatever it is about. */
		b->env.is_utf8 = b->env.is_8bit = dsn_is_utf8(&d);
	}
	free(header);
	return result;
}

static void
fill_envelope(struct bounce *b, const char *to, bool is_outbound)
{
	struct envelope *own = &b->env;
	char id[ENVELOPE_ID_LEN + 1];

	envelope_init(own);
	keep_new_id(id);
	(void)str_copy(own->name, sizeof(own->name), id);
	own->generation = 1;
	own->body = arena_strdup(&b->arena, id);
	own->received_us = clock_wall_us();
	own->source = SOURCE_OWN;
	own->message_id =
		arena_printf(&b->arena, "<%s@%s>", id, role_hostname());
	own->is_outbound = is_outbound;
	own->rcpts = arena_array(&b->arena, 1, sizeof(*own->rcpts));
	own->rcpt_count = 1;
	own->rcpts[0].address = arena_strdup(&b->arena, to);
	own->rcpts[0].orcpt = own->rcpts[0].notify = "";
	own->rcpts[0].status = "";
}

/* body/XX/.ID.tmp */
static void
body_tmp(const char *id, char *dst)
{
	char xx[3];

	spool_folder(id, xx);
	(void)str_fmt(dst, SPOOL_PATH_SIZE, "body/%s/.%s.tmp", xx, id);
}

/* A message to an address, whose text is still to be written. */
static struct commit_op *
bounce_new(const char *to, bool is_outbound, bounce_fn *fn, void *arg,
	   struct bounce **out)
{
	struct bounce *b = xcalloc(1, sizeof(*b));
	struct commit_op *op = commit_op_new(2, 0);
	struct commit_file *body = &op->files[0];

	b->fn = fn;
	b->arg = arg;
	timer_init(&b->timer, on_failed, b);
	fill_envelope(b, to, is_outbound);
	body_tmp(b->env.name, body->tmp);
	spool_body_path(b->env.name, body->path);
	body->is_body = true;
	op->done = on_durable;
	op->arg = b;
	*out = b;
	return op;
}

/* The envelope of a text that is there. */
static int
add_envelope(struct commit_op *op, struct bounce *b, struct err *e)
{
	b->env.size = op->files[0].text.len;
	return change_file(&op->files[1], &b->env, STATE_OUTGOING, e);
}

void
bounce_send(const struct envelope *env, const struct dsn_rcpt *rcpts,
	    size_t count, int64_t retry_until_us, bounce_fn *fn, void *arg)
{
	bool has_sender = env->sender[0] != '\0';
	struct commit_op *op;
	struct bounce *b;
	struct err e;

	op = bounce_new(has_sender ? env->sender
				   : role_knobs()->double_bounce_to,
			has_sender && !env->is_outbound, fn, arg, &b);
	if (write_text(b, env, rcpts, count, retry_until_us, &op->files[0].text,
		       &e) == 0 &&
	    add_envelope(op, b, &e) == 0) {
		log_info("%s bounce of=%s to=%s rcpts=%zu", b->env.name,
			 env->name, log_text(b->env.rcpts[0].address), count);
		stats_add(role_stats(), STAT_notices, 1);
		committer_submit(op);
		return;
	}
	log_error("%s bounce_failed reason=%s", env->name, log_text(e.text));
	commit_op_free(op);
	timer_set(&b->timer, 0);
}

static void
on_own_end(void *arg, int result)
{
	(void)arg, (void)result;
}

void
bounce_own(const char *to, bounce_text_fn *write, void *arg)
{
	struct commit_op *op;
	struct bounce *b;
	struct err e = { "it cannot be written" };

	op = bounce_new(to, true, on_own_end, NULL, &b);
	if (write(arg, b->env.name, &op->files[0].text) != 0 ||
	    add_envelope(op, b, &e) != 0) {
		log_error("%s notice_failed reason=%s", b->env.name,
			  log_text(e.text));
		commit_op_free(op);
		timer_set(&b->timer, 0);
		return;
	}
	stats_add(role_stats(), STAT_notices, 1);
	committer_submit(op);
}
