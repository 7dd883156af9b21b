/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The start that all roles share, and what the parent tells a role later:
 * configuration, listeners, peers, stop.  A role whose parent has gone
 * exits at once; it never goes on alone.
 */
#include "role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "chan.h"
#include "clock.h"
#include "file.h"
#include "jail.h"
#include "log.h"
#include "loop.h"
#include "str.h"

#define START_TIME_MS 60000 /* for the parent to say what is needed */
#define FLUSH_TIME_MS 1000
#define HANDLERS_MAX 64
#define HOME_PATH_MAX 4096

/* clang-format off */
#define R(role) (1u << ROLE_##role)
#define ROLE(role, program, user, home, peers, stop, death, files) \
	{ role, program, offsetof(struct conf, user), home, peers, stop, \
	  ROLE_##death, files },
const struct role_row role_rows[] = {
#include "role.def"
};
#undef ROLE
#undef R
/* clang-format on */
const size_t role_row_count = sizeof(role_rows) / sizeof(role_rows[0]);

static struct {
	const struct role_ops *ops;
	struct conf conf;
	char home[HOME_PATH_MAX];
	char hostname[256];
	bool is_jailed;
	struct stats *stats;
	struct knobs knobs;
	struct peer_ops peer_ops;
	struct peer_handler handlers[HANDLERS_MAX];
	struct timer beat;
	int64_t alive_ms; /* the last beat of a long init() */
	uint32_t serial[ROLE_COUNT]; /* of the channels to peers */
} self;

const struct role_row *
role_row(enum role r)
{
	size_t i;

	for (i = 0; i < role_row_count; i++) {
		if (role_rows[i].role == r)
			return &role_rows[i];
	}
	return NULL;
}

const char *
role_row_user(const struct role_row *row, const struct conf *conf)
{
	return *(char *const *)(const void *)((const char *)conf + row->user);
}

int
role_row_home(const struct role_row *row, const struct conf *conf, char *path,
	      size_t size)
{
	bool fits = false;

	switch (row->home) {
	case HOME_SPOOL:
		fits = str_fmt(path, size, "%s", conf->spool_dir);
		break;
	case HOME_LIB:
		fits = str_fmt(path, size, "%s", conf->lib_dir);
		break;
	case HOME_SCAN:
		fits = str_fmt(path, size, "%s/scan", conf->run_dir);
		break;
	case HOME_EMPTY:
		fits = str_fmt(path, size, "%s/empty", conf->run_dir);
		break;
	}
	return fits ? 0 : -1;
}

const char *
role_home(void)
{
	return self.is_jailed ? "/" : self.home;
}

bool
role_is_jailed(void)
{
	return self.is_jailed;
}

struct stats *
role_stats(void)
{
	return self.stats;
}

const struct knobs *
role_knobs(void)
{
	return &self.knobs;
}

const char *
role_hostname(void)
{
	return self.hostname;
}

void
role_set_knobs(const struct knobs *k)
{
	self.knobs = *k;
	if (self.ops->knobs != NULL)
		self.ops->knobs(&self.knobs);
}

void
role_exit(void)
{
	peer_flush_all(FLUSH_TIME_MS);
	exit(EXIT_SUCCESS);
}

static enum log_level
log_level(const struct conf *conf)
{
	static const char *const levels[] = { "error", "warn", "info",
					      "debug" };
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (str_eq(conf->log_level, levels[i]))
			return (enum log_level)i;
	}
	return LOG_LEVEL_INFO;
}

void
role_open_log(const struct conf *conf, const char *name)
{
	log_open(name,
		 str_eq(conf->log_target, "stderr") ? LOG_TO_STDERR
						    : LOG_TO_SYSLOG,
		 log_level(conf));
}

static void
set_hostname(void)
{
	if (self.conf.hostname[0] != '\0')
		(void)str_copy(self.hostname, sizeof(self.hostname),
			       self.conf.hostname);
	else if (gethostname(self.hostname, sizeof(self.hostname)) != 0)
		(void)str_copy(self.hostname, sizeof(self.hostname),
			       "localhost");
	self.hostname[sizeof(self.hostname) - 1] = '\0';
}

/* -1 when the new one is wrong; the old one is then kept. */
static int
take_conf(int fd)
{
	struct conf conf;
	struct err e;
	char name[32];

	if (conf_read_fd(fd, "mcd.conf", &conf, &e) != 0) {
		log_error("configuration kept: %s", e.text);
		return -1;
	}
	(void)str_fmt(name, sizeof(name), "mcd/%s", role_name(self.ops->role));
	if (self.conf.hostname == NULL)
		role_open_log(&conf, name);
	else /* the log's socket cannot be opened again in a jail */
		log_set_level(log_level(&conf));
	conf_release(&self.conf);
	self.conf = conf;
	set_hostname();
	return 0;
}

static int64_t
beat_every_ms(void)
{
	return self.conf.watchdog_s * 1000 / 4;
}

static void
set_beat(void *arg)
{
	static const struct frame_beat beat;

	(void)arg;
	(void)peer_note(peer_of(ROLE_PARENT), FRAME_beat, &beat, -1);
	timer_set(&self.beat, beat_every_ms());
}

void
role_alive(void)
{
	static const struct frame_beat beat;
	struct buf b = { .limit = PROTO_FRAME_MAX };
	int64_t now = clock_mono_ms();
	struct err e;

	if (self.ops == NULL || peer_of(ROLE_PARENT) != 0 ||
	    now - self.alive_ms < beat_every_ms())
		return;
	self.alive_ms = now;
	/* The parent is no peer yet; one that is lost is sent again. */
	if (frame_encode(FRAME_beat, 0, &beat, &b, &e) == 0)
		(void)send(ROLE_PARENT_FD, b.data, b.len,
			   MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_release(&b);
}

static void
on_conf(peer_id from, struct frame *f)
{
	(void)from;
	if (take_conf(f->fd) == 0 && self.ops->conf != NULL)
		self.ops->conf(&self.conf);
}

static void
on_listener(peer_id from, struct frame *f)
{
	const struct frame_listener *b = FRAME_BODY(f, listener);

	(void)from;
	if (self.ops->listener == NULL)
		return;
	self.ops->listener(b->name, b->address, f->fd);
	f->fd = -1;
}

static void
on_peer(peer_id from, struct frame *f)
{
	uint32_t r = FRAME_BODY(f, peer)->role;

	(void)from;
	if (r >= ROLE_COUNT) {
		log_error("parent names an unknown role %lu", (unsigned long)r);
		return;
	}
	(void)peer_add((enum role)r, f->fd);
	f->fd = -1;
	self.serial[r] = FRAME_BODY(f, peer)->serial;
}

static void
on_start_done(peer_id from, struct frame *f)
{
	struct frame_ready ready = {
		.generation = FRAME_BODY(f, start_done)->generation,
	};

	if (self.ops->listeners_done != NULL)
		self.ops->listeners_done();
	(void)peer_note(from, FRAME_ready, &ready, -1);
}

static void
on_stop(peer_id from, struct frame *f)
{
	const struct frame_stop *b = FRAME_BODY(f, stop);

	(void)from;
	if (self.ops->stop == NULL)
		role_exit();
	self.ops->stop(b->data_ms, b->reply_ms);
}

static void
on_knobs(peer_id from, struct frame *f)
{
	struct knobs k;
	struct err e;

	(void)from;
	knobs_default(&k);
	if (knobs_read(FRAME_BODY(f, knobs)->text, &k, &e) != 0) {
		log_error("knobs kept: %s", e.text);
		return;
	}
	role_set_knobs(&k);
}

static void
on_up(peer_id p, enum role r)
{
	if (self.ops->peers.up != NULL)
		self.ops->peers.up(p, r);
}

static void
on_down(peer_id p, enum role r)
{
	struct frame_peer_lost lost = { .role = r, .serial = self.serial[r] };

	if (r == ROLE_PARENT) {
		log_warn("parent is gone");
		exit(EXIT_SUCCESS);
	}
	if ((role_row(self.ops->role)->peers & 1u << r) != 0)
		(void)peer_note(peer_of(ROLE_PARENT), FRAME_peer_lost, &lost,
				-1);
	if (self.ops->peers.down != NULL)
		self.ops->peers.down(p, r);
}

static void
init_peers(void)
{
	static const struct peer_handler own[] = {
		{ FRAME_conf, on_conf }, { FRAME_listener, on_listener },
		{ FRAME_peer, on_peer }, { FRAME_start_done, on_start_done },
		{ FRAME_stop, on_stop }, { FRAME_knobs, on_knobs },
	};
	size_t count = sizeof(own) / sizeof(own[0]);
	const struct peer_handler *h = self.ops->peers.handlers;

	memcpy(self.handlers, own, sizeof(own));
	for (; h != NULL && h->fn != NULL; h++) {
		if (count >= HANDLERS_MAX - 1)
			bug("more than %d handlers", HANDLERS_MAX - 1);
		self.handlers[count++] = *h;
	}
	self.peer_ops.handlers = self.handlers;
	self.peer_ops.up = on_up;
	self.peer_ops.down = on_down;
	peer_init(self.ops->role, &self.peer_ops);
}

/* The parent's first two frames, without a loop. */
static void
receive_start(void)
{
	struct chan *c;
	struct frame f;
	struct err e = { "no word in time" };
	int fd = fcntl(ROLE_PARENT_FD, F_DUPFD_CLOEXEC, ROLE_PARENT_FD + 1);
	bool has_conf = false;

	if (fd < 0)
		fatal(64, "-x is for mcd's own use: it has no channel");
	(void)fcntl(ROLE_PARENT_FD, F_SETFD, FD_CLOEXEC);
	c = chan_new(fd, self.ops->role, ROLE_PARENT);
	while (!has_conf || self.stats == NULL) {
		if (chan_wait(c, &f, START_TIME_MS, &e) != 1)
			fatal(69, "parent says nothing: %s", e.text);
		if (f.type == FRAME_conf && take_conf(f.fd) == 0)
			has_conf = true;
		else if (f.type == FRAME_stats_map)
			self.stats = stats_map(f.fd, self.ops->role, &e);
		else
			fatal(76, "start: frame %s is not due", f.info->name);
		if (f.type == FRAME_stats_map && self.stats == NULL)
			fatal(76, "stats: %s", e.text);
		file_shut(&f.fd);
	}
	chan_free(c);
}

static void
enter_jail(void)
{
	const struct role_row *row = role_row(self.ops->role);
	const char *user = role_row_user(row, &self.conf);
	struct err e;

	if (role_row_home(row, &self.conf, self.home, sizeof(self.home)) != 0)
		fatal(78, "path of the role's folder is too long");
	if (self.ops->before_jail != NULL)
		self.ops->before_jail(&self.conf);
	tzset(); /* its file is out of reach later */
	if (self.conf.jail &&
	    jail_enter(user, self.home, &self.is_jailed, &e) != 0)
		fatal(77, "jail: %s", e.text);
	log_debug("role starts jailed=%s home=%s",
		  self.is_jailed ? "yes" : "no", log_text(self.home));
}

void
role_run(const struct role_ops *ops)
{
	static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGTERM };
	char name[16];
	size_t i;

	/* Signals to the whole group are for the parent to act on. */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	self.ops = ops;
	(void)umask(007);
	(void)str_fmt(name, sizeof(name), "mcd-%s", role_name(ops->role));
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	knobs_default(&self.knobs);
	receive_start();
	enter_jail();
	loop_init();
	init_peers();
	if (ops->init != NULL)
		ops->init(&self.conf);
	if (ops->knobs != NULL)
		ops->knobs(&self.knobs);
	timer_init(&self.beat, set_beat, NULL);
	(void)peer_add(ROLE_PARENT, ROLE_PARENT_FD);
	set_beat(NULL);
	loop_run();
	role_exit();
}
