/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Probes of what SNMP needs: a way from mc-snmp-agent to snmpd, the agent,
 * and a view of snmpd that shows what is served.
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "doctor.h"
#include "file.h"
#include "str.h"

#define UCD_TABLE "1.3.6.1.4.1.2021.8"
#define CONF_MAX (1024 * 1024)
#define FILES_MAX 1000 /* of a folder */
#define PROCESSES_MAX 1000000
#define GROUPS_MAX 256
#define AGENT "mc-snmp-agent"
#define PERMS                                                 \
	"put agentXPerms 0660 0755 root mcgate into snmpd's " \
	"configuration, restart snmpd"
#define SETUP                                                    \
	"apt-get install snmpd, copy share/snmp/mcgate.conf to " \
	"/etc/snmp/snmpd.conf.d/, restart snmpd"

/* 0, or why not. */
static int
try_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, error = 0;

	if (!str_copy(sun.sun_path, sizeof(sun.sun_path), path))
		return ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	/* One with a full backlog is there all the same. */
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 &&
	    errno != EAGAIN)
		error = errno;
	file_shut(&fd);
	return error;
}

static bool
may(const struct passwd *pw, const gid_t *groups, int count, const char *path,
    unsigned bit)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	if (st.st_uid == pw->pw_uid)
		return (st.st_mode & bit << 6) != 0;
	for (int i = 0; i < count; i++) {
		if (groups[i] == st.st_gid)
			return (st.st_mode & bit << 3) != 0;
	}
	return (st.st_mode & bit) != 0;
}

/* Whether the user that the agent becomes may do what root may. */
static bool
agent_may(const struct conf *conf, const char *path)
{
	const struct passwd *pw = getpwnam(conf->user_main);
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;
	char dir[1024];
	char *slash;

	if (pw == NULL ||
	    getgrouplist(pw->pw_name, pw->pw_gid, groups, &count) < 0 ||
	    !str_copy(dir, sizeof(dir), path))
		return false;
	slash = strrchr(dir, '/');
	if (slash == NULL || slash == dir)
		return false;
	*slash = '\0';
	return may(pw, groups, count, dir, 1) &&
	       may(pw, groups, count, path, 2);
}

static void
probe_socket(struct doctor *d, const char *path)
{
	int error = try_connect(path);

	if (error == ENOENT || error == ENOTDIR)
		doctor_say(d, DOCTOR_NOTE, "for SNMP: " SETUP,
			   "%s: snmpd is not there, or takes no subagents",
			   path);
	else if (error == EACCES)
		doctor_say(d, DOCTOR_FAULT, PERMS,
			   "%s: who asks here may not connect", path);
	else if (error != 0)
		doctor_say(d, DOCTOR_FAULT, "start snmpd", "%s: %s", path,
			   strerror(error));
	else if (geteuid() == 0 && d->c->conf.jail &&
		 !agent_may(&d->c->conf, path))
		doctor_say(d, DOCTOR_FAULT, PERMS,
			   "%s: user %s may not connect", path,
			   d->c->conf.user_main);
	else
		doctor_say(d, DOCTOR_OK, "", "%s: snmpd takes subagents", path);
}

/* Whether an OID lies in a subtree of numbers; both without a first dot. */
static bool
is_below(const char *oid, const char *tree)
{
	size_t len = strlen(tree);

	return strncmp(oid, tree, len) == 0 &&
	       (oid[len] == '\0' || oid[len] == '.');
}

struct views {
	const char *oids[2];
	bool is_shown[2];
	bool any; /* there is a view at all */
};

/* "view NAME included OID [MASK]" */
static void
take_line(struct views *v, char *line)
{
	char *save = NULL, *words[4];
	const char *tree;
	int n;

	for (n = 0; n < 4; n++) {
		words[n] = strtok_r(n == 0 ? line : NULL, " \t", &save);
		if (words[n] == NULL)
			return;
	}
	if (!str_ieq(words[0], "view"))
		return;
	v->any = true;
	tree = words[3] + (words[3][0] == '.');
	for (n = 0; n < 2 && str_ieq(words[2], "included"); n++)
		v->is_shown[n] = v->is_shown[n] || is_below(v->oids[n], tree);
}

static int
take_file(struct views *v, const char *path, struct err *e)
{
	struct buf text = { 0 };
	char *line, *save = NULL;

	if (file_read(path, &text, CONF_MAX, e) != 0)
		return -1;
	buf_add_char(&text, '\0');
	for (line = strtok_r(text.data, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save))
		take_line(v, line);
	buf_release(&text);
	return 0;
}

static int
take_folder(struct views *v, const char *path, struct err *e)
{
	DIR *dir = opendir(path);
	struct dirent *f;
	char file[2048];
	int n = 0, rc = 0;

	if (dir == NULL)
		return 0;
	while (rc == 0 && n++ < FILES_MAX && (f = readdir(dir)) != NULL) {
		size_t len = strlen(f->d_name);

		if (len > 5 && str_eq(f->d_name + len - 5, ".conf") &&
		    str_fmt(file, sizeof(file), "%s/%s", path, f->d_name))
			rc = take_file(v, file, e);
	}
	(void)closedir(dir);
	return rc;
}

static void
probe_view(struct doctor *d)
{
	const char *base = d->c->conf.snmp_base_oid;
	const char *dir = getenv("SNMPCONFPATH"); /* as net-snmp's own */
	struct views v = { .oids = { UCD_TABLE, base + (*base == '.') } };
	char path[1024], todo[256];
	struct err e;
	int n;

	if (dir == NULL || *dir == '\0')
		dir = "/etc/snmp";
	if (!str_fmt(path, sizeof(path), "%s/snmpd.conf", dir) ||
	    take_file(&v, path, &e) != 0 ||
	    !str_fmt(path, sizeof(path), "%s/snmpd.conf.d", dir) ||
	    take_folder(&v, path, &e) != 0) {
		doctor_say(d, DOCTOR_NOTE, "ask again as root",
			   "what snmpd shows is not known: %s", e.text);
		return;
	}
	for (n = 0; n < 2; n++) {
		if (!v.any || v.is_shown[n])
			continue;
		(void)str_fmt(todo, sizeof(todo),
			      "put view systemonly included .%s into it, "
			      "restart snmpd",
			      v.oids[n]);
		doctor_say(d, DOCTOR_FAULT, todo,
			   "%s: no view of snmpd shows .%s", dir, v.oids[n]);
	}
	if (!v.any || (v.is_shown[0] && v.is_shown[1]))
		doctor_say(d, DOCTOR_OK, "", "%s: snmpd shows what is served",
			   dir);
}

static bool
is_agent(const char *pid)
{
	struct buf name = { 0 };
	char path[64];
	bool is_it;

	is_it = ascii_isdigit(pid[0]) &&
		str_fmt(path, sizeof(path), "/proc/%s/comm", pid) &&
		file_read(path, &name, sizeof(path), NULL) == 0 &&
		str_eq(buf_str(&name), AGENT "\n");
	buf_release(&name);
	return is_it;
}

static void
probe_agent(struct doctor *d)
{
	DIR *proc = opendir("/proc");
	bool is_there = false;
	struct dirent *p;
	int n = 0;

	while (proc != NULL && !is_there && n++ < PROCESSES_MAX &&
	       (p = readdir(proc)) != NULL)
		is_there = is_agent(p->d_name);
	if (proc != NULL)
		(void)closedir(proc);
	if (is_there)
		doctor_say(d, DOCTOR_OK, "", AGENT " is running");
	else
		doctor_say(d, DOCTOR_WARNING, "systemctl enable --now " AGENT,
			   AGENT " is not running: nothing is served");
}

void
probe_snmp(struct doctor *d)
{
	const char *at = d->c->conf.snmp_agentx;

	if (strncmp(at, "unix:", 5) != 0) {
		doctor_say(d, DOCTOR_NOTE, "",
			   "snmp.agentx is %s: only unix: is tried", at);
		return;
	}
	probe_socket(d, at + 5);
	if (access(at + 5, F_OK) != 0)
		return; /* nobody has SNMP here */
	probe_view(d);
	probe_agent(d);
}
