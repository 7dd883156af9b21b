/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a role is made of, and the one routine that starts any of them:
 * take configuration and descriptors from the parent (descriptor 3), jail,
 * drop rights, loop.  role.def gives each its program, user, home, limits,
 * peers and place in the order of a stop.
 */
#ifndef ROLE_H
#define ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "peer.h"
#include "proto.h"
#include "setting.h"
#include "stats.h"

#define ROLE_PARENT_FD 3

enum role_home { HOME_SPOOL, HOME_LIB, HOME_SCAN, HOME_EMPTY };
enum role_death { ROLE_ALONE, ROLE_ALL };

/* A row of role.def. */
struct role_row {
	enum role role;
	const char *program;
	size_t user; /* offset of the member of struct conf */
	enum role_home home;
	uint32_t peers; /* set: 1 << role */
	int stop_order;
	enum role_death death;
	unsigned descriptors;
};
extern const struct role_row role_rows[];
extern const size_t role_row_count;
/* NULL for those that the parent does not start. */
const struct role_row *role_row(enum role r);
/* The user's name, and the home as seen from outside any jail. */
const char *role_row_user(const struct role_row *row, const struct conf *conf);
int role_row_home(const struct role_row *row, const struct conf *conf,
		  char *path, size_t size);

/* What one role does; any function may be NULL. */
struct role_ops {
	enum role role;
	/* Still with the rights it was started with: open what the jail
	 * will hide.  conf is not kept. */
	void (*before_jail)(const struct conf *conf);
	/* In the jail, loop made, peers not yet there. */
	void (*init)(const struct conf *conf);
	/* A new mcd.conf at a reload. */
	void (*conf)(const struct conf *conf);
	/* Takes fd. */
	void (*listener)(const char *name, const char *address, int fd);
	/* The listeners of this generation are complete: close others. */
	void (*listeners_done)(void);
	/* Global knobs, at start (defaults) and at each change. */
	void (*knobs)(const struct knobs *k);
	/* Finish and call role_exit(); second call: at once.  NULL: there
	 * is nothing to finish. */
	void (*stop)(int64_t data_ms, int64_t reply_ms);
	/* Frames but those that the parent sends.  up is called for the
	 * parent too, down is not: without it there is no role. */
	struct peer_ops peers;
};
/* Logs as "name" where and as much as conf says. */
void role_open_log(const struct conf *conf, const char *name);

/* Runs the role until it exits; for main() with -x. */
void role_run(const struct role_ops *ops) __attribute__((noreturn));
/* Flushes channels, for a second at most, and exits 0. */
void role_exit(void) __attribute__((noreturn));
/* For an init() that may take longer than watchdog_s: to be called often. */
void role_alive(void);

/* The role's own folder as seen from inside: "/" in a jail. */
const char *role_home(void);
/* True when chroot and setuid were done. */
bool role_is_jailed(void);
/* The shared mapping, this role's writer; NULL when there is none. */
struct stats *role_stats(void);
/* Current global knobs: the defaults until control has sent them. */
const struct knobs *role_knobs(void);
/* For control, whom nobody sends them: sets its own, calls ops->knobs. */
void role_set_knobs(const struct knobs *k);
/* Our name in SMTP. */
const char *role_hostname(void);

#endif
