/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads and checks mcd.conf for the parent.
 */
#include "parent_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "role.h"
#include "str.h"

/* A sealed copy; -1 on failure. */
static int
sealed_copy(const char *path, struct err *e)
{
	struct buf b = { .limit = CONF_FILE_MAX };
	struct stat st;
	int in, fd = -1;

	/* A pipe in its place must not block. */
	in = file_open(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (in < 0)
		return err_sys(e, "%s", path);
	if (fstat(in, &st) != 0)
		err_sys(e, "%s", path);
	else if (!S_ISREG(st.st_mode))
		err_set(e, "%s: not a file", path);
	else if (file_read_fd(in, &b, CONF_FILE_MAX, e) != 0)
		err_prefix(e, "%s", path);
	else if ((fd = memfd_create("mcd.conf",
				    MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0)
		err_sys(e, "%s: memfd", path);
	else if (file_write_all(fd, buf_str(&b), b.len) != 0 ||
		 fcntl(fd, F_ADD_SEALS,
		       F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
			       F_SEAL_SEAL) != 0) {
		err_sys(e, "%s: memfd", path);
		file_shut(&fd);
	}
	file_shut(&in);
	buf_release(&b);
	return fd;
}

int
parent_conf_read(const char *path, struct parent_conf *pc, struct err *e)
{
	memset(pc, 0, sizeof(*pc));
	pc->fd = sealed_copy(path, e);
	if (pc->fd < 0)
		return -1;
	if (conf_read_fd(pc->fd, path, &pc->conf, e) != 0) {
		file_shut(&pc->fd);
		return -1;
	}
	return 0;
}

void
parent_conf_release(struct parent_conf *pc)
{
	file_shut(&pc->fd);
	conf_release(&pc->conf);
}

bool
parent_conf_jails(const struct parent_conf *pc)
{
	return pc->conf.jail && geteuid() == 0;
}

static int
check_user(const struct conf *conf, const struct role_row *row, struct err *e)
{
	const char *name = role_row_user(row, conf);
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return err_set(e,
			       "%s: users: \"%s\", whom %s becomes, is not "
			       "known to this system",
			       conf->path, name, role_name(row->role));
	if (pw->pw_uid == 0)
		return err_set(e,
			       "%s: users: \"%s\" is root: expected one that "
			       "is not, or jail = false",
			       conf->path, name);
	return 0;
}

static int
check_program(const struct conf *conf, const char *name, struct err *e)
{
	char path[4096];

	if (str_eq(name, "mcd"))
		return 0;
	if (!str_fmt(path, sizeof(path), "%s/%s", conf->libexec_dir, name))
		return err_set(e, "%s: paths.libexec: too long", conf->path);
	if (access(path, X_OK) != 0)
		return err_sys(e, "%s: paths.libexec: %s", conf->path, path);
	return 0;
}

int
parent_conf_check(const struct parent_conf *pc, struct err *e)
{
	const struct conf *conf = &pc->conf;
	char path[4096];
	size_t i;

	for (i = 0; i < role_row_count; i++) {
		if (parent_conf_jails(pc) &&
		    check_user(conf, &role_rows[i], e) != 0)
			return -1;
		if (check_program(conf, role_rows[i].program, e) != 0)
			return -1;
		if (role_row_home(&role_rows[i], conf, path, sizeof(path)) != 0)
			return err_set(e, "%s: paths: too long", conf->path);
	}
	if (strlen(conf->run_dir) + sizeof("/control") >
	    sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_set(e,
			       "%s: paths.run: \"%s\" is too long: with "
			       "/control it must fit %zu bytes",
			       conf->path, conf->run_dir,
			       sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return 0;
}

int
parent_conf_same_base(const struct parent_conf *old,
		      const struct parent_conf *new, struct err *e)
{
	static const struct {
		const char *key;
		size_t member;
	} fixed[] = {
		{ "paths.spool", offsetof(struct conf, spool_dir) },
		{ "paths.lib", offsetof(struct conf, lib_dir) },
		{ "paths.run", offsetof(struct conf, run_dir) },
		{ "users.main", offsetof(struct conf, user_main) },
		{ "users.net", offsetof(struct conf, user_net) },
		{ "users.queue", offsetof(struct conf, user_queue) },
		{ "users.scan", offsetof(struct conf, user_scan) },
	};
	const char *key = NULL;
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		const char *a = (const char *)&old->conf + fixed[i].member;
		const char *b = (const char *)&new->conf + fixed[i].member;

		if (!str_eq(*(char *const *)(const void *)a,
			    *(char *const *)(const void *)b))
			key = fixed[i].key;
	}
	if (old->conf.node != new->conf.node)
		key = "node";
	if (old->conf.jail != new->conf.jail)
		key = "jail";
	if (key != NULL)
		return err_set(e, "%s: %s changes only with a restart of mcd",
			       new->conf.path, key);
	return 0;
}
