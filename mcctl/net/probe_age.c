/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Probes of ages: signatures and rules that have to be fresh.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "doctor.h"
#include "str.h"

#define FILES_MAX 100000 /* looked at in one folder */
#define DAY_S 86400

/* The youngest file of a folder whose name fits, in seconds of the wall
 * clock; 0: none, -1: the folder cannot be read. */
static int64_t
youngest(const char *dir, const char *pattern)
{
	int64_t best = 0;
	DIR *d = opendir(dir);
	struct dirent *f;
	struct stat st;
	int i;

	if (d == NULL)
		return errno == ENOENT ? 0 : -1;
	for (i = 0; i < FILES_MAX && (f = readdir(d)) != NULL; i++)
		if (f->d_name[0] != '.' &&
		    fnmatch(pattern, f->d_name, 0) == 0 &&
		    fstatat(dirfd(d), f->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime > best)
			best = st.st_mtime;
	(void)closedir(d);
	return best;
}

static void
say_age(struct doctor *d, const char *what, const char *dir, int64_t at_s,
	int64_t days, const char *todo)
{
	int64_t age_s = clock_wall_us() / 1000000 - at_s;
	char text[64];

	str_duration(text, sizeof(text),
		     age_s > 0 ? age_s / 60 * 60 * 1000 : 0);
	if (age_s > days * DAY_S)
		doctor_say(d, DOCTOR_WARNING, todo,
			   "%s: %s old: expected %lld days at most", what, text,
			   (long long)days);
	else
		doctor_say(d, DOCTOR_OK, "", "%s in %s: %s old", what, dir,
			   text);
}

static void
probe_folder(struct doctor *d, const char *what, const char *dir,
	     const char *pattern, int64_t days, const char *todo)
{
	int64_t at_s = youngest(dir, pattern);

	if (at_s < 0)
		doctor_say(d, DOCTOR_FAULT, "let mcctl and mcd read it",
			   "%s: %s", dir, strerror(errno));
	else if (at_s == 0)
		doctor_say(d, DOCTOR_WARNING, todo, "no %s in %s", what, dir);
	else
		say_age(d, what, dir, at_s, days, todo);
}

void
probe_signatures(struct doctor *d)
{
	const char *dir = d->c->conf.clamav_dir;

	if (dir[0] == '\0')
		doctor_say(d, DOCTOR_NOTE, "for it: set clamav.dir in mcd.conf",
			   "no folder of virus signatures is set");
	else
		probe_folder(d, "signatures", dir, "daily.c[lv]d", 3,
			     "run freshclam, and let its daemon run");
}

void
probe_third_party(struct doctor *d)
{
	const char *dir = d->c->conf.clamav_third_party;

	if (dir[0] == '\0' || youngest(dir, "*") == 0)
		doctor_say(d, DOCTOR_NOTE,
			   "for them: apt-get install clamav-unofficial-sigs",
			   "no third-party signatures: the filter clamspam "
			   "finds nothing");
	else
		probe_folder(d, "third-party signatures", dir, "*", 7,
			     "run clamav-unofficial-sigs, and look at what "
			     "it says");
}

void
probe_sa_update(struct doctor *d)
{
	char dir[1024];
	int64_t best = 0, at_s;
	DIR *home = opendir(d->c->conf.spamd_home);
	struct dirent *f;

	/* A folder for each version, such as 4.000001. */
	while (home != NULL && (f = readdir(home)) != NULL) {
		if (!ascii_isdigit(f->d_name[0]) ||
		    !str_fmt(dir, sizeof(dir), "%s/%s", d->c->conf.spamd_home,
			     f->d_name))
			continue;
		at_s = youngest(dir, "*.cf");
		best = at_s > best ? at_s : best;
	}
	if (home != NULL)
		(void)closedir(home);
	if (best > 0)
		say_age(d, "rules", d->c->conf.spamd_home, best, 7,
			"run sa-update; spamd's package has a timer for it");
	else
		doctor_say(d,
			   d->c->conf.spamd_socket[0] != '\0' ? DOCTOR_WARNING
							      : DOCTOR_NOTE,
			   "run sa-update; spamd's package has a timer for it",
			   "no rules of sa-update below %s: spamd has those "
			   "of its package",
			   d->c->conf.spamd_home);
}
