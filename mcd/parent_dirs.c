/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Folders and locks of the parent.  Nothing in the folders is looked at:
 * they belong to roles that the parent does not trust.
 */
#include "parent_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "log.h"
#include "str.h"

/* Roles whose parent was killed need a moment to see it and go. */
#define ORPHANS_WAIT_MS 5000
#define ORPHANS_LOOK_MS 20

static int pid_fd = -1; /* to be written */
static struct parent_locks locks = { -1, -1 };

int
parent_owner(const struct parent_conf *pc, const char *user, uid_t *uid,
	     gid_t *gid, struct err *e)
{
	const struct passwd *pw;

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (!parent_conf_jails(pc))
		return 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return err_set(e, "user \"%s\" is not known", user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

/* The folder itself, not what is in it. */
static int
set_owner(const char *path, uid_t uid, gid_t gid, mode_t mode, struct err *e)
{
	int fd = file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
			   0);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) != 0)
		rc = err_sys(e, "%s", path);
	else if (st.st_mode & S_ISVTX)
		rc = err_set(e,
			     "%s is for everybody's files: expected a folder "
			     "of mcd's own",
			     path);
	else if ((st.st_uid != uid || st.st_gid != gid) &&
		 fchown(fd, uid, gid) != 0)
		rc = err_sys(e, "%s: chown", path);
	else if ((st.st_mode & 07777) != mode && fchmod(fd, mode) != 0)
		rc = err_sys(e, "%s: chmod", path);
	file_shut(&fd);
	return rc;
}

/* user NULL: root's. */
static int
make_dir(const struct parent_conf *pc, const char *path, mode_t mode,
	 const char *user, struct err *e)
{
	char above[PATH_MAX], *slash;
	uid_t uid = 0;
	gid_t gid = 0;

	if (!str_copy(above, sizeof(above), path))
		return err_set(e, "%s: path is too long", path);
	slash = strrchr(above, '/');
	if (slash != NULL && slash != above) {
		*slash = '\0';
		if (file_mkdirs(above, 0755, e) != 0)
			return -1;
	}
	if (file_mkdirs(path, mode, e) != 0)
		return -1;
	if (!parent_conf_jails(pc))
		return 0;
	if (user != NULL && parent_owner(pc, user, &uid, &gid, e) != 0)
		return -1;
	return set_owner(path, uid, gid, mode, e);
}

/* Scans make folders and files there, several for each mail. */
static void
look_at_disk(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
	    fs.f_type != RAMFS_MAGIC)
		log_info("paths.run: %s is on a disk; filters are faster where "
			 "it is on a tmpfs, as /run is",
			 path);
}

int
parent_dirs_make(const struct parent_conf *pc, struct err *e)
{
	const struct conf *conf = &pc->conf;
	char empty[PATH_MAX], scan[PATH_MAX], tmp[PATH_MAX];

	if (!str_fmt(empty, sizeof(empty), "%s/empty", conf->run_dir) ||
	    !str_fmt(scan, sizeof(scan), "%s/scan", conf->run_dir) ||
	    !str_fmt(tmp, sizeof(tmp), "%s/scan/tmp", conf->run_dir))
		return err_set(e, "%s: path is too long", conf->run_dir);
	if (make_dir(pc, conf->run_dir, 0755, NULL, e) != 0 ||
	    make_dir(pc, empty, 0755, NULL, e) != 0 ||
	    make_dir(pc, scan, 0755, NULL, e) != 0 ||
	    make_dir(pc, tmp, 0700, conf->user_scan, e) != 0 ||
	    make_dir(pc, conf->lib_dir, 02770, conf->user_main, e) != 0 ||
	    make_dir(pc, conf->spool_dir, 0700, conf->user_queue, e) != 0)
		return -1;
	look_at_disk(tmp);
	return 0;
}

/* 0 locked, 75 held by somebody else for wait_ms, 71 failed. */
static int
lock(int fd, const char *what, int64_t wait_ms, struct err *e)
{
	int64_t end_ms = clock_mono_ms() + wait_ms;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK) {
			err_sys(e, "%s: lock", what);
			return 71;
		}
		if (clock_mono_ms() >= end_ms)
			return 75;
		(void)poll(NULL, 0, ORPHANS_LOOK_MS);
	}
	return 0;
}

/* The process that the pid file names, 0 for none. */
static pid_t
read_pid(void)
{
	char text[32];
	ssize_t n = pread(pid_fd, text, sizeof(text) - 1, 0);
	int64_t pid;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (str_to_i64(text, &pid, NULL) != 0 || pid <= 0 || pid > INT_MAX)
		return 0;
	return (pid_t)pid;
}

static int
write_pid(const char *path, struct err *e)
{
	char text[32];

	(void)str_fmt(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(pid_fd, 0) != 0 ||
	    pwrite(pid_fd, text, strlen(text), 0) != (ssize_t)strlen(text)) {
		err_sys(e, "%s: write", path);
		return 71;
	}
	return 0;
}

static int
lock_pid_file(const struct parent_conf *pc, struct err *e)
{
	char path[PATH_MAX];
	pid_t pid;
	bool is_there;
	int rc;

	(void)str_fmt(path, sizeof(path), "%s/mcd.pid", pc->conf.run_dir);
	pid_fd = file_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
	locks.run_fd = file_open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);
	if (pid_fd < 0 || locks.run_fd < 0) {
		err_sys(e, "%s", path);
		return 71;
	}
	pid = read_pid();
	is_there = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
	rc = lock(locks.run_fd, path, is_there ? 0 : ORPHANS_WAIT_MS, e);
	if (rc == 75)
		err_set(e,
			"mcd already runs here: process %ld%s holds %s; stop "
			"it first, or give this one a run folder of its own",
			(long)pid, is_there ? "" : " or a role that it left",
			path);
	return rc == 0 ? write_pid(path, e) : rc;
}

int
parent_lock(const struct parent_conf *pc, struct err *e)
{
	const char *spool = pc->conf.spool_dir;
	int rc = lock_pid_file(pc, e);

	if (rc != 0)
		return rc;
	locks.spool_fd = file_open(AT_FDCWD, spool, O_RDONLY | O_DIRECTORY, 0);
	if (locks.spool_fd < 0) {
		err_sys(e, "%s", spool);
		return 71;
	}
	rc = lock(locks.spool_fd, spool, ORPHANS_WAIT_MS, e);
	if (rc == 75)
		err_set(e,
			"another mcd, or a queue that one left behind, works "
			"on the spool %s",
			spool);
	return rc;
}

const struct parent_locks *
parent_locks(void)
{
	return &locks;
}

void
parent_unlock(void)
{
	if (pid_fd >= 0 && ftruncate(pid_fd, 0) != 0)
		return; /* its lock goes all the same */
}
