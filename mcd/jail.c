/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a role gives up root, and what a filter worker may ask of the
 * kernel.  A step that fails is an error: a process that is less confined
 * than it believes must not go on.
 */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"

#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifndef HAS_ASAN
#define HAS_ASAN 0
#endif

static bool is_entered;

#if HAS_ASAN
/* The leak checker asks: it cannot work where there is no /proc. */
int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return is_entered;
}
#endif

static int
drop_rights(uid_t uid, gid_t gid, struct err *e)
{
	uid_t r, f, s;

	if (setgroups(1, &gid) != 0)
		return err_sys(e, "setgroups");
	if (setresgid(gid, gid, gid) != 0)
		return err_sys(e, "setresgid %ld", (long)gid);
	if (setresuid(uid, uid, uid) != 0)
		return err_sys(e, "setresuid %ld", (long)uid);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(e, "no_new_privs");
	if (getresuid(&r, &f, &s) != 0 || r != uid || f != uid || s != uid ||
	    setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
		return err_set(e, "rights of root are still there");
	return 0;
}

int
jail_enter(const char *user, const char *dir, bool *jailed, struct err *e)
{
	const struct passwd *pw;

	*jailed = false;
	if (geteuid() != 0)
		return 0;
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL && errno != 0)
		return err_sys(e, "user \"%s\"", user);
	if (pw == NULL)
		return err_set(e, "user \"%s\" is not known", user);
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return err_set(e,
			       "user \"%s\" is root: a role needs one that is "
			       "not, or jail = false",
			       user);
	if (chroot(dir) != 0)
		return err_sys(e, "chroot %s", dir);
	is_entered = true;
	if (chdir("/") != 0)
		return err_sys(e, "chdir to %s", dir);
	if (drop_rights(pw->pw_uid, pw->pw_gid, e) != 0)
		return -1;
	*jailed = true;
	return 0;
}

static int
limit(int what, rlim_t soft, const char *name, struct err *e)
{
	struct rlimit r;

	if (getrlimit(what, &r) != 0)
		return err_sys(e, "limit of %s", name);
	if (r.rlim_max != RLIM_INFINITY && soft > r.rlim_max)
		soft = r.rlim_max;
	r.rlim_cur = soft;
	r.rlim_max = soft;
	if (setrlimit(what, &r) != 0)
		return err_sys(e, "limit of %s", name);
	return 0;
}

#if defined(HAVE_LINUX_LANDLOCK_H) && defined(SYS_landlock_create_ruleset)
static int
allow_below(int rules, const char *dir, uint64_t access, struct err *e)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = access,
		.parent_fd = open(dir, O_PATH | O_CLOEXEC),
	};
	long rc;

	if (attr.parent_fd < 0)
		return err_sys(e, "landlock: %s", dir);
	rc = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		     &attr, 0);
	(void)close(attr.parent_fd);
	return rc == 0 ? 0 : err_sys(e, "landlock: %s", dir);
}
#endif

/* Only what lies below tmp can be opened, made or removed. */
static int
close_files(const char *tmp, struct err *e)
{
#if defined(HAVE_LINUX_LANDLOCK_H) && defined(SYS_landlock_create_ruleset)
	struct landlock_ruleset_attr attr = {
		/* The 13 rights of ABI 1, which every kernel with Landlock
		 * knows. */
		.handled_access_fs = (1ull << 13) - 1,
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
			      sizeof(attr.handled_access_fs), 0);
	long rc;

	if (fd < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0; /* not in this kernel, or switched off */
	if (fd < 0)
		return err_sys(e, "landlock");
	if (tmp != NULL &&
	    allow_below(fd, tmp, attr.handled_access_fs, e) != 0) {
		(void)close(fd);
		return -1;
	}
	rc = syscall(SYS_landlock_restrict_self, fd, 0);
	(void)close(fd);
	if (rc != 0)
		return err_sys(e, "landlock");
#else
	(void)tmp;
	(void)e;
#endif
	return 0;
}

/* clang-format off */
static const int allowed[] = {
	/* what scanning libraries were seen to take */
	SCMP_SYS(access), SCMP_SYS(brk), SCMP_SYS(chmod),
	SCMP_SYS(clock_gettime), SCMP_SYS(close), SCMP_SYS(dup),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fadvise64),
	SCMP_SYS(fchmod), SCMP_SYS(fcntl), SCMP_SYS(fstat),
	SCMP_SYS(ftruncate), SCMP_SYS(futex), SCMP_SYS(getdents64),
	SCMP_SYS(getpid), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
	SCMP_SYS(gettid), SCMP_SYS(gettimeofday), SCMP_SYS(ioctl),
	SCMP_SYS(lseek), SCMP_SYS(lstat), SCMP_SYS(madvise),
	SCMP_SYS(mkdir), SCMP_SYS(mmap), SCMP_SYS(mprotect),
	SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(newfstatat),
	SCMP_SYS(openat), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(read), SCMP_SYS(rename), SCMP_SYS(rmdir),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(stat),
	SCMP_SYS(sysinfo), SCMP_SYS(umask), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat), SCMP_SYS(write),
	/* libspf2 wants to know the host's name */
	SCMP_SYS(uname),
	/* a channel: frames with a descriptor, and waiting for them */
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(shutdown),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(restart_syscall),
	/* names that newer libc or other machines use for some of these */
	SCMP_SYS(statx), SCMP_SYS(writev), SCMP_SYS(rt_sigaction),
#if HAS_ASAN
	/* the sanitizers, when they report and at the end */
	SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(prctl),
	SCMP_SYS(readlink), SCMP_SYS(clone), SCMP_SYS(wait4),
	SCMP_SYS(ptrace), SCMP_SYS(prlimit64), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(kill),
#endif
};
/* clang-format on */

static int
load_filter(struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = ctx != NULL ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	/* abort(3), so that its signal tells what happened. */
	if (rc == 0)
		rc = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (rc == 0)
		rc = seccomp_load(ctx);
	if (ctx != NULL)
		seccomp_release(ctx);
	if (rc != 0) {
		errno = -rc;
		return err_sys(e, "system call filter");
	}
	return 0;
}

int
jail_worker(const char *tmp, int64_t memory_max, struct err *e)
{
	if (memory_max > 0 && !HAS_ASAN &&
	    limit(RLIMIT_AS, (rlim_t)memory_max, "memory", e) != 0)
		return -1;
	if (limit(RLIMIT_CORE, 0, "core files", e) != 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(e, "no_new_privs");
	if (!HAS_ASAN && close_files(tmp, e) != 0)
		return -1;
	return load_filter(e);
}
