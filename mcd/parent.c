/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What moves the parent: signals, frames of its roles, and the second
 * hand.
 */
#include "parent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "file.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "parent_child.h"
#include "parent_conf.h"
#include "parent_dirs.h"
#include "parent_listen.h"
#include "parent_socket.h"
#include "parent_stats.h"
#include "peer.h"
#include "role.h"
#include "setting.h"
#include "str.h"

#define TICK_MS 1000
#define WORKERS_MAX 1024 /* rows of the process table for them */

static struct {
	const char *conf_path;
	struct start start;
	struct knobs knobs; /* for the times of a stop */
	struct timer tick, watchdog;
	uint32_t workers; /* slots seen */
	bool is_stopping;
	int exit_code;
} self;

static void
all_ready(void)
{
	log_info("ready generation=%lu", (unsigned long)self.start.generation);
	notify_send("READY=1\nSTATUS=running\n");
}

static void
all_gone(void)
{
	loop_stop();
}

static void
hopeless(int exit_code)
{
	log_error("a role cannot start: giving up");
	self.exit_code = exit_code;
	self.is_stopping = true;
	children_kill();
}

static void
on_ready(peer_id from, struct frame *f)
{
	children_ready(from, FRAME_BODY(f, ready)->generation);
}

static void
on_beat(peer_id from, struct frame *f)
{
	(void)f;
	children_beat(from);
}

static void
on_peer_lost(peer_id from, struct frame *f)
{
	const struct frame_peer_lost *b = FRAME_BODY(f, peer_lost);

	children_lost(from, b->role, b->serial);
}

static void
on_knobs(peer_id from, struct frame *f)
{
	struct knobs k;
	struct err e;

	(void)from;
	knobs_default(&k);
	if (knobs_read(FRAME_BODY(f, knobs)->text, &k, &e) == 0)
		self.knobs = k;
	else
		log_error("knobs kept: %s", e.text);
}

static void
worker_row(uint32_t slot, uint32_t pid, uint32_t restarts)
{
	char key[STATS_KEY_SIZE];

	(void)str_fmt(key, sizeof(key), "worker %lu", (unsigned long)slot + 1);
	if (pid == 0 && slot >= self.start.conf.conf.workers)
		parent_stats_process_gone(key);
	else
		parent_stats_process(key, pid,
				     pid ? PROCESS_RUNNING : PROCESS_DOWN,
				     restarts);
}

static void
on_worker_state(peer_id from, struct frame *f)
{
	const struct frame_worker_state *b = FRAME_BODY(f, worker_state);

	(void)from;
	if (b->slot >= WORKERS_MAX)
		return;
	if (b->slot >= self.workers)
		self.workers = b->slot + 1;
	worker_row(b->slot, b->pid, b->restarts);
}

static void
on_down(peer_id p, enum role r)
{
	uint32_t i;

	(void)p;
	for (i = 0; r == ROLE_FILTER && i < self.workers; i++)
		worker_row(i, 0, 0);
}

static int
reload(struct err *e)
{
	struct parent_conf fresh;
	struct parent_tls tls;
	struct listeners set;

	if (parent_conf_read(self.conf_path, &fresh, e) != 0)
		return -1;
	if (parent_conf_check(&fresh, e) != 0 ||
	    parent_conf_same_base(&self.start.conf, &fresh, e) != 0 ||
	    parent_tls_read(&fresh.conf, &tls, e) != 0) {
		parent_conf_release(&fresh);
		return -1;
	}
	if (parent_listen_open(&fresh.conf, &self.start.listeners, &set, e) !=
	    0) {
		parent_tls_close(&tls);
		parent_conf_release(&fresh);
		return -1;
	}
	parent_tls_keep_ca(&fresh.conf, &tls, &self.start.tls);
	parent_tls_close(&self.start.tls);
	self.start.tls = tls;
	parent_stats_certificates(tls.ends_us);
	parent_listen_close(&self.start.listeners);
	self.start.listeners = set;
	parent_conf_release(&self.start.conf);
	self.start.conf = fresh;
	self.start.generation++;
	role_open_log(&fresh.conf, "mcd");
	children_reload();
	return 0;
}

static int
reload_and_tell(struct err *e)
{
	char text[80];
	int rc;

	if (self.is_stopping)
		return err_set(e, "mcd is stopping");
	(void)str_fmt(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
		      (long long)clock_mono_us());
	notify_send(text);
	rc = reload(e);
	if (rc == 0) {
		log_info("configuration reloaded generation=%lu",
			 (unsigned long)self.start.generation);
	} else {
		parent_stats_error("configuration kept: %s", e->text);
		notify_send("READY=1\n");
	}
	return rc;
}

static void
on_reload_ask(peer_id from, struct frame *f)
{
	struct err e = { "" };
	int rc = reload_and_tell(&e);
	struct frame_reload_reply reply = {
		.status = rc == 0 ? ANSWER_OK : ANSWER_NO,
		.text = e.text,
	};

	(void)peer_answer(from, f->token, FRAME_reload_reply, &reply, -1);
}

static void
on_socket_ask(peer_id from, struct frame *f)
{
	parent_socket_ask(&self.start.conf.conf, from, f);
}

static void
on_signal_stop(int signo)
{
	if (self.is_stopping) {
		log_warn("signal %d again: all roles are killed", signo);
		children_kill();
		return;
	}
	log_info("stopping signal=%d", signo);
	notify_send("STOPPING=1\nSTATUS=stopping\n");
	self.is_stopping = true;
	/* Clients are to try elsewhere, not to wait in a backlog. */
	parent_listen_close(&self.start.listeners);
	children_stop(self.knobs.stop_data_time, self.knobs.stop_reply_time);
}

static void
on_signal(int signo)
{
	struct err e;

	if (signo == SIGCHLD)
		children_reap();
	else
		(void)reload_and_tell(&e);
}

static void
on_tick(void *arg)
{
	(void)arg;
	parent_stats_beat();
	children_watch();
	timer_set(&self.tick, TICK_MS);
}

static void
on_watchdog(void *arg)
{
	(void)arg;
	notify_send("WATCHDOG=1\n");
	timer_set(&self.watchdog, notify_watchdog_ms());
}

static int
fail(int exit_code, const struct err *e)
{
	log_error("%s", e->text);
	return exit_code;
}

/* Descriptors 0 to 2 are never anything else. */
static void
keep_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
	file_shut(&fd);
}

static void
say_rights(void)
{
	if (geteuid() != 0)
		log_info("not started by root: roles keep this user and are "
			 "not in jails");
	else if (!self.start.conf.conf.jail)
		log_warn("jail = false: roles keep root and are not in jails");
}

/* 0, or the exit status. */
static int
prepare(struct err *e)
{
	struct listeners none = { .count = 0 };
	struct start *s = &self.start;
	int rc;

	if (parent_conf_read(self.conf_path, &s->conf, e) != 0 ||
	    parent_conf_check(&s->conf, e) != 0)
		return 78;
	role_open_log(&s->conf.conf, "mcd");
	if (parent_tls_read(&s->conf.conf, &s->tls, e) != 0)
		return 78;
	if (parent_dirs_make(&s->conf, e) != 0)
		return 73;
	rc = parent_lock(&s->conf, e);
	if (rc != 0)
		return rc;
	if (parent_stats_open(&s->conf, e) != 0)
		return 73;
	parent_stats_certificates(s->tls.ends_us);
	parent_listen_inherit();
	if (parent_listen_open(&s->conf.conf, &none, &s->listeners, e) != 0)
		return 69;
	parent_listen_inherited_done();
	s->control_fd = parent_listen_control(&s->conf, e);
	return s->control_fd >= 0 ? 0 : 69;
}

static void
run(void)
{
	static const struct peer_handler handlers[] = {
		{ FRAME_ready, on_ready },
		{ FRAME_beat, on_beat },
		{ FRAME_peer_lost, on_peer_lost },
		{ FRAME_knobs, on_knobs },
		{ FRAME_reload_ask, on_reload_ask },
		{ FRAME_socket_ask, on_socket_ask },
		{ FRAME_worker_state, on_worker_state },
		{ 0, NULL },
	};
	static const struct peer_ops ops = { .handlers = handlers,
					     .down = on_down };
	static const struct child_events events = { all_ready, all_gone,
						    hopeless };

	knobs_default(&self.knobs);
	self.start.generation = 1;
	loop_init();
	peer_init(ROLE_PARENT, &ops);
	loop_on_signal(SIGCHLD, on_signal);
	loop_on_signal(SIGHUP, on_signal);
	loop_on_signal(SIGTERM, on_signal_stop);
	loop_on_signal(SIGINT, on_signal_stop);
	timer_init(&self.tick, on_tick, NULL);
	timer_set(&self.tick, TICK_MS);
	timer_init(&self.watchdog, on_watchdog, NULL);
	if (notify_watchdog_ms() > 0)
		timer_set(&self.watchdog, notify_watchdog_ms());
	children_init(&self.start, &events);
	children_start();
	loop_run();
}

int
parent_run(const char *conf_path)
{
	struct err e;
	int rc;

	keep_standard_fds();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	self.conf_path = conf_path;
	notify_init();
	rc = prepare(&e);
	if (rc != 0)
		return fail(rc, &e);
	log_info("starting version=%s pid=%ld", MCGATE_VERSION, (long)getpid());
	say_rights();
	run();
	parent_stats_save();
	parent_unlock();
	log_info("stopped");
	return self.exit_code;
}

int
parent_test(const char *conf_path)
{
	struct parent_conf pc;
	struct parent_tls tls;
	struct err e;

	if (parent_conf_read(conf_path, &pc, &e) != 0)
		return fail(78, &e);
	if (parent_conf_check(&pc, &e) != 0 ||
	    parent_tls_read(&pc.conf, &tls, &e) != 0) {
		parent_conf_release(&pc);
		return fail(78, &e);
	}
	parent_tls_close(&tls);
	parent_conf_release(&pc);
	printf("%s: nothing is wrong with it\n", conf_path);
	return fflush(stdout) == 0 ? 0 : 74;
}
