/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Becoming the owner of the databases, and the nudge after a change.
 */
#include "rights.h"

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

#include "asking.h"

int
rights_become(const struct conf *conf, struct err *e)
{
	const struct passwd *pw;

	if (geteuid() != 0 || !conf->jail)
		return 0;
	pw = getpwnam(conf->user_main);
	if (pw == NULL)
		return err_set(e, "user \"%s\" (users.main of %s): not known",
			       conf->user_main, conf->path);
	if (pw->pw_uid == 0)
		return 0;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
	    setuid(pw->pw_uid) < 0)
		return err_sys(e, "becoming user %s", pw->pw_name);
	return 0;
}

void
rights_nudge(const struct conf *conf)
{
	struct err e;
	struct asking *ask = asking_open(conf, &e);

	if (ask == NULL)
		return;
	asking_run(ask, "nudge", "", NULL, NULL, &e);
	asking_close(ask);
}
