/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What tests/crash wants to know of a gateway, many times a second, from
 * one process for all questions: mcctl's answers without its start.  A
 * line of standard input is a question, a line of JSON its answer.
 *
 *   home RUN SPOOL      the gateway that is meant from here on
 *   look                its state, from the stats mapping
 *   files STATE...      paths in these folders, half-written ones too
 *   audit               its account
 *   ask COMMAND ARG     what control's socket answers
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asking.h"
#include "audit.h"
#include "beat.h"
#include "file.h"
#include "spool.h"
#include "stats.h"
#include "str.h"

#define LINE_MAX_BYTES 4096
#define ASK_MS 20000

static struct {
	struct conf conf; /* run_dir only */
	char run[1024];
	int spool;
	struct buf out;
} self = { .spool = -1 };

static void
set_home(const char *run, const char *spool)
{
	(void)str_copy(self.run, sizeof(self.run), run);
	self.conf.run_dir = self.run;
	file_shut(&self.spool);
	self.spool = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_add_str(&self.out, "{}");
}

/* Of roles and workers: do all run, how often did one start again. */
static bool
count_processes(const struct stats *s, int64_t *sum, int64_t *most)
{
	static struct stats_row_copy rows[STATS_ROWS_LIMIT];
	size_t n = stats_rows(s, TABLE_PROCESS, rows, STATS_ROWS_LIMIT);
	bool is_running = n > 0;

	*sum = *most = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t again = rows[i].n[PROCESS_RESTARTS];

		*sum += again;
		if (again > *most)
			*most = again;
		if (rows[i].n[PROCESS_STATE] != PROCESS_RUNNING)
			is_running = false;
	}
	return is_running;
}

static void
look(void)
{
	char path[1100];
	struct stats *s;
	struct beat beat;
	int64_t sum, most;
	bool is_running;

	str_fmt(path, sizeof(path), "%s/stats", self.run);
	s = stats_open(path, NULL);
	if (s == NULL) {
		buf_add_str(&self.out, "{}");
		return;
	}
	beat_take(s, &beat);
	is_running = count_processes(s, &sum, &most) && beat.is_running &&
		     stats_get(s, STAT_intake_open) != 0;
	buf_printf(&self.out,
		   "{\"pid\":%lld,\"running\":%d,\"draining\":%d,"
		   "\"restarts\":%lld,\"most\":%lld}",
		   (long long)beat.pid, is_running,
		   stats_get(s, STAT_in_draining) != 0 ||
			   stats_get(s, STAT_queue_drain) != 0,
		   (long long)sum, (long long)most);
	stats_unmap(s);
}

static void
add_path(const char *state, const char *folder, const char *name)
{
	char path[1024];

	str_fmt(path, sizeof(path), "%s/%s/%s", state, folder, name);
	if (self.out.data[self.out.len - 1] != '[')
		buf_add_char(&self.out, ',');
	json_string(&self.out, path);
}

static void
list_folder(const char *state, const char *folder)
{
	char path[1024];
	struct dirent *d;
	DIR *dir;
	int fd;

	str_fmt(path, sizeof(path), "%s/%s", state, folder);
	fd = openat(self.spool, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		file_shut(&fd);
		return;
	}
	while ((d = readdir(dir)) != NULL)
		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, ".."))
			add_path(state, folder, d->d_name);
	closedir(dir);
}

static void
files(char *states)
{
	char *state, *rest = NULL;
	char folder[3];

	buf_add_char(&self.out, '[');
	for (state = strtok_r(states, " ", &rest); state != NULL;
	     state = strtok_r(NULL, " ", &rest))
		for (unsigned i = 0; i < SPOOL_FOLDERS; i++) {
			str_fmt(folder, sizeof(folder), "%02x", i);
			list_folder(state, folder);
		}
	buf_add_char(&self.out, ']');
}

static void
on_lost(void *arg, const struct audit_lost *l)
{
	bool *is_first = arg;

	if (!*is_first)
		buf_add_str(&self.out, ", ");
	*is_first = false;
	buf_printf(&self.out, "%s %s %s", l->name, l->rcpt, l->why);
}

static void
audit(void)
{
	struct buf lost = self.out;
	bool is_first = true;
	struct audit a;
	struct err e = { "" };
	int result;

	self.out = (struct buf){ 0 };
	result = audit_run(self.spool, false, &a, on_lost, &is_first, &e);
	if (result < 0)
		buf_add_str(&self.out, e.text);
	buf_printf(&lost, "{\"balanced\":%s,\"lost\":",
		   result == 0 && a.lost == 0 ? "true" : "false");
	json_string(&lost, buf_str(&self.out));
	if (result == 0)
		buf_printf(&lost,
			   ",\"accepted\":%lld,\"damaged_lines\":%lld,"
			   "\"duplicates\":%lld",
			   (long long)a.accepted, (long long)a.damaged_lines,
			   (long long)a.duplicates);
	buf_release(&self.out);
	self.out = lost;
	buf_add_char(&self.out, '}');
}

static int
on_row(void *arg, const struct value *values, size_t count, struct span encoded)
{
	bool *is_first = arg;

	(void)encoded;
	if (!*is_first)
		buf_add_char(&self.out, ',');
	*is_first = false;
	return record_json(values, count, &self.out);
}

static void
ask(const char *command, const char *arg)
{
	bool is_first = true;
	struct asking_sink sink = { .row = on_row, .arg = &is_first };
	struct err e = { "" };
	int code = 0;
	struct asking *a = asking_open(&self.conf, &code, &e);

	buf_add_str(&self.out, "{\"rows\":[");
	if (a != NULL) {
		asking_set_wait(a, ASK_MS);
		code = asking_run(a, command, arg, &sink, &e);
		asking_close(a);
	}
	buf_printf(&self.out, "],\"code\":%d,\"text\":", code);
	json_string(&self.out, e.text);
	buf_add_char(&self.out, '}');
}

/* The next word of a line, which it cuts off. */
static char *
word(char **line)
{
	char *w = *line;
	char *end = strchr(w, ' ');

	*line = end != NULL ? end + 1 : w + strlen(w);
	if (end != NULL)
		*end = '\0';
	return w;
}

static void
answer(char *line)
{
	char *verb = word(&line);
	char *first;

	if (str_eq(verb, "files")) {
		files(line);
	} else if (str_eq(verb, "look")) {
		look();
	} else if (str_eq(verb, "audit")) {
		audit();
	} else if (str_eq(verb, "home")) {
		first = word(&line);
		set_home(first, line);
	} else if (str_eq(verb, "ask")) {
		first = word(&line);
		ask(first, line);
	} else {
		buf_add_str(&self.out, "{\"code\":64}");
	}
}

int
main(void)
{
	char line[LINE_MAX_BYTES];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		buf_clear(&self.out);
		answer(line);
		puts(buf_str(&self.out));
		fflush(stdout);
	}
	return 0;
}
