/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcd.conf as the parent holds it: read once into a sealed memfd, which
 * is what it parses itself and what every role gets, so that all of them
 * see the same file whatever happens to the one on disk.
 */
#ifndef PARENT_CONF_H
#define PARENT_CONF_H

#include "conf.h"
#include "err.h"

struct parent_conf {
	struct conf conf;
	int fd; /* sealed, not to be written by anyone */
};

/* On -1 there is nothing in pc. */
int parent_conf_read(const char *path, struct parent_conf *pc, struct err *e);
void parent_conf_release(struct parent_conf *pc);
/*
 * What conf_read() cannot know: users that exist (when they are needed),
 * programs that can be run, paths that fit a socket's name.
 */
int parent_conf_check(const struct parent_conf *pc, struct err *e);
/* -1 and the key when they differ in what only a restart can change. */
int parent_conf_same_base(const struct parent_conf *old,
			  const struct parent_conf *new, struct err *e);
/* True when roles get users and jails of their own. */
bool parent_conf_jails(const struct parent_conf *pc);

#endif
