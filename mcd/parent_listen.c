/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opens and keeps the listening sockets.
 */
#include "parent_listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "notify.h"
#include "parent_dirs.h"
#include "str.h"

#define BACKLOG 1024 /* connections not yet accepted; the kernel caps it */

static struct {
	struct ip_port address[CONF_LISTENERS_MAX];
	int fd[CONF_LISTENERS_MAX];
	size_t count;
} inherited;

static int
bound_address(int fd, struct ip_port *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return -1;
	return ip_from_sockaddr((struct sockaddr *)&ss, out);
}

static bool
is_listening(int fd)
{
	int type = 0, is_on = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    type != SOCK_STREAM)
		return false;
	len = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_on, &len) == 0 &&
	       is_on;
}

void
parent_listen_inherit(void)
{
	int i, fd;
	struct ip_port address;

	for (i = 0; i < notify_listen_fds(); i++) {
		fd = NOTIFY_LISTEN_FIRST + i;
		if (inherited.count == CONF_LISTENERS_MAX ||
		    !is_listening(fd) || bound_address(fd, &address) != 0) {
			log_warn("LISTEN_FDS: descriptor %d is no listening "
				 "TCP socket: closed",
				 fd);
			file_shut(&fd);
			continue;
		}
		inherited.address[inherited.count] = address;
		inherited.fd[inherited.count++] = fd;
	}
}

void
parent_listen_inherited_done(void)
{
	char text[IP_TEXT_SIZE];
	size_t i;

	for (i = 0; i < inherited.count; i++) {
		if (inherited.fd[i] < 0)
			continue;
		log_warn("LISTEN_FDS: %s is no listener of mcd.conf: closed",
			 ip_port_text(&inherited.address[i], text));
		file_shut(&inherited.fd[i]);
	}
	inherited.count = 0;
}

static bool
same_address(const struct ip_port *a, const struct ip_port *b)
{
	return a->port == b->port && ip_eq(&a->ip, &b->ip);
}

static int
take_inherited(const struct ip_port *wanted)
{
	size_t i;
	int fd;

	for (i = 0; i < inherited.count; i++) {
		fd = inherited.fd[i];
		if (fd >= 0 && same_address(&inherited.address[i], wanted)) {
			inherited.fd[i] = -1;
			return fd;
		}
	}
	return -1;
}

static int
bind_new(const struct ip_port *wanted, struct err *e)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_to_sockaddr(wanted, &ss);
	char text[IP_TEXT_SIZE];
	int fd, on = 1;

	ip_port_text(wanted, text);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "listener %s: socket", text);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (ss.ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0))
		err_sys(e, "listener %s: options", text);
	else if (bind(fd, (struct sockaddr *)&ss, len) != 0)
		err_sys(e, "listener %s: bind", text);
	else if (listen(fd, BACKLOG) != 0)
		err_sys(e, "listener %s: listen", text);
	else
		return fd;
	file_shut(&fd);
	return -1;
}

static bool
is_taken(const struct listeners *set, int index)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (set->row[i].was == index)
			return true;
	}
	return false;
}

/* The index of one that set has not taken yet, or -1. */
static int
find_old(const struct listeners *old, const struct listeners *set,
	 const struct ip_port *wanted)
{
	size_t i;

	for (i = 0; i < old->count; i++) {
		if (same_address(&old->row[i].wanted, wanted) &&
		    !is_taken(set, (int)i))
			return (int)i;
	}
	return -1;
}

/* Opens what old does not have; the others keep fd -1 for now. */
static int
open_missing(const struct conf *conf, const struct listeners *old,
	     struct listeners *set, struct err *e)
{
	struct listener *l;
	struct ip_port bound;
	size_t i;

	for (i = 0; i < conf->listener_count; i++) {
		l = &set->row[i];
		l->wanted = conf->listeners[i].address;
		l->fd = -1;
		(void)str_copy(l->name, sizeof(l->name),
			       conf->listeners[i].name);
		l->was = find_old(old, set, &l->wanted);
		set->count++;
		if (l->was >= 0)
			continue;
		l->fd = take_inherited(&l->wanted);
		if (l->fd < 0)
			l->fd = bind_new(&l->wanted, e);
		if (l->fd < 0)
			return -1;
		if (file_set_nonblock(l->fd) != 0 ||
		    bound_address(l->fd, &bound) != 0)
			return err_sys(e, "listener %s", l->name);
		ip_port_text(&bound, l->address);
		log_info("listening name=%s address=%s", log_text(l->name),
			 l->address);
	}
	return 0;
}

int
parent_listen_open(const struct conf *conf, struct listeners *old,
		   struct listeners *set, struct err *e)
{
	struct listener *from;
	size_t i;

	memset(set, 0, sizeof(*set));
	if (open_missing(conf, old, set, e) != 0) {
		parent_listen_close(set);
		return -1;
	}
	for (i = 0; i < set->count; i++) {
		if (set->row[i].was < 0)
			continue;
		from = &old->row[set->row[i].was];
		set->row[i].fd = from->fd;
		(void)str_copy(set->row[i].address, sizeof(set->row[i].address),
			       from->address);
		from->fd = -1;
	}
	return 0;
}

void
parent_listen_close(struct listeners *set)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		file_shut(&set->row[i].fd);
	set->count = 0;
}

int
parent_listen_control(const struct parent_conf *pc, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uid_t uid;
	gid_t gid;
	mode_t mask;
	int fd, rc;

	if (!str_fmt(address.sun_path, sizeof(address.sun_path), "%s/control",
		     pc->conf.run_dir))
		return err_set(e, "%s/control: too long for a socket",
			       pc->conf.run_dir);
	if (parent_owner(pc, pc->conf.user_main, &uid, &gid, e) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "%s", address.sun_path);
	/* Ours: the pid file is locked. */
	if (unlink(address.sun_path) != 0 && errno != ENOENT) {
		err_sys(e, "%s: unlink", address.sun_path);
		goto fail;
	}
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	(void)umask(mask);
	if (rc != 0)
		err_sys(e, "%s: bind", address.sun_path);
	else if (lchown(address.sun_path, (uid_t)-1, gid) != 0)
		err_sys(e, "%s: chown", address.sun_path);
	else if (chmod(address.sun_path, 0660) != 0)
		err_sys(e, "%s: chmod", address.sun_path);
	else if (listen(fd, BACKLOG) != 0)
		err_sys(e, "%s: listen", address.sun_path);
	else
		return fd;
fail:
	file_shut(&fd);
	return -1;
}
