/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Looks at the file as the antivirus looks at mail, in a jailed child: who
 * asks may be root, and the file anybody's.
 */
#include "virus_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "charset.h"
#include "clam.h"
#include "engine.h"
#include "file.h"
#include "jail.h"
#include "log.h"
#include "mime.h"
#include "reap.h"
#include "record.h"
#include "str.h"

#define FILE_MAX (256u << 20)
#define SCAN_MS 120000

static const char *const words[] = {
	[CLAM_CLEAN] = "clean",		[CLAM_FOUND] = "virus",
	[CLAM_ENCRYPTED] = "encrypted", [CLAM_LIMITS] = "limits",
	[CLAM_FAILED] = "unknown",
};

/* Keeps the graver of two findings in out. */
static void
keep(const struct clam_result *r, struct clam_result *out)
{
	static const int rank[] = { [CLAM_CLEAN] = 0,
				    [CLAM_ENCRYPTED] = 1,
				    [CLAM_LIMITS] = 2,
				    [CLAM_FAILED] = 3,
				    [CLAM_FOUND] = 4 };

	if (rank[r->verdict] > rank[out->verdict])
		*out = *r;
}

/* As a file, as a message, and each part in every reading. */
static void
scan_all(struct clam *clam, struct span in, struct clam_result *out)
{
	struct clam_result r;
	struct mime *m;
	size_t i;

	clam_scan(clam, in, false, SCAN_MS, out);
	if (out->verdict == CLAM_FOUND)
		return;
	clam_scan(clam, in, true, SCAN_MS, &r);
	keep(&r, out);
	m = mime_new(in, NULL);
	for (i = 0; i < m->part_count && out->verdict != CLAM_FOUND; i++) {
		if (!m->parts[i].is_leaf || m->parts[i].data.len == 0)
			continue;
		clam_scan(clam, m->parts[i].data, false, SCAN_MS, &r);
		keep(&r, out);
	}
	mime_free(m);
}

static void
print(bool is_json, enum clam_verdict verdict, const char *name)
{
	struct buf b = { 0 };

	if (is_json) {
		(void)buf_printf(
			&b, "{\"verdict\":\"%s\",\"name\":", words[verdict]);
		(void)json_string(&b, name);
		(void)buf_add_char(&b, '}');
	} else {
		(void)buf_printf(&b, "%s", words[verdict]);
		if (name[0] != '\0')
			(void)buf_printf(&b, " %s", log_text(name));
	}
	printf("%s\n", buf_str(&b));
	(void)fflush(stdout);
	buf_release(&b);
}

static void
warn(const char *text)
{
	log_warn("- %s", text);
}

/* NULL with e: it is down. */
static struct clam *
load(const char *dir, const char *tmp, struct err *e)
{
	struct clam *clam = clam_new(tmp, e);

	if (clam == NULL)
		return NULL;
	if (dir[0] != '\0' && clam_add(clam, dir, false, warn, e) < 0)
		log_warn("- %s", e->text);
	if (clam_ready(clam, e) != 0) {
		clam_free(clam);
		return NULL;
	}
	if (clam_signatures(clam) == 0)
		log_warn("- without signatures: none in \"%s\"", dir);
	return clam;
}

static void __attribute__((noreturn))
child(const char *dir, const char *tmp, bool is_json)
{
	struct clam_result r = { .verdict = CLAM_FAILED };
	struct buf in = { 0 };
	struct clam *clam;
	struct err e;

	charset_prepare();
	if (file_read_fd(STDIN_FILENO, &in, FILE_MAX, &e) < 0) {
		log_error("- %s", e.text);
		_exit(EX_NOINPUT);
	}
	clam = load(dir, tmp, &e);
	if (clam == NULL || jail_worker(tmp, 0, &e) != 0)
		(void)str_copy(r.name, sizeof(r.name), e.text);
	else
		scan_all(clam, buf_span(&in), &r);
	print(is_json, r.verdict, r.name);
	_exit(EX_OK);
}

int
virus_test(const char *dir, bool is_json)
{
	char tmp[] = "/tmp/mcgate-test.XXXXXX", text[200];
	int status = 0;
	pid_t pid;

	if (mkdtemp(tmp) == NULL) {
		log_error("- %s: %s", tmp, strerror(errno));
		return EX_CANTCREAT;
	}
	pid = fork();
	if (pid == 0)
		child(dir, tmp, is_json);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	engine_sweep(tmp);
	(void)rmdir(tmp);
	if (pid > 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	reap_text(status, text, sizeof(text));
	print(is_json, CLAM_FAILED, pid < 0 ? "no process" : text);
	return EX_OK;
}

int
signatures_try(const char *path)
{
	struct err e;

	if (clam_try(path, &e) == 0)
		return EX_OK;
	printf("%s\n", e.text);
	return fflush(stdout) == 0 ? EX_DATAERR : EX_IOERR;
}
