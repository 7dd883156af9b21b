/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libclamav 1.x.  FINDINGS of it that are dealt with here: a scan without
 * a folder for temporary files, over a limit or out of time says clean; an
 * object over the size limit is a virus without a name; one bad line fails
 * a whole folder; a .ftm replaces the built-in file types; a message whose
 * first field it does not know is not taken for mail.
 */
#include "clam.h"

#include <clamav.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "log.h"
#include "str.h"
#include "unlzma.h"
#include "zip_shape.h"
#include "xalloc.h"

#define FILES_MAX 1000 /* of one folder */
#define MEMBERS_MAX 10000 /* of an archive */
#define SCAN_BYTES_MAX (400 * 1024 * 1024)
#define FILE_BYTES_MAX (120 * 1024 * 1024)
#define SCAN_TIME_MS 60000
#define UNPACK_DEPTH_MAX 4 /* of what we unpack in what we unpacked */
#define UNPACK_BYTES_MAX (32 * 1024 * 1024)
#define EICAR_NAME "Eicar-Test-Signature"

struct clam {
	struct cl_engine *engine;
	unsigned signatures, own;
	char tmp[1024];
};

/* The test virus in two halves, so that no scanner takes this file away. */
static const char eicar_a[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$";
static const char eicar_b[] = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

/* By digest for the file as it is, and by its bytes wherever they stand. */
static const char eicar_hdb[] =
	"44d88612fea8a8f36de82e1278abb02f:68:" EICAR_NAME "\n";
static const char eicar_ndb[] = EICAR_NAME
	":0:*:"
	"58354f2150254041505b345c505a58353428505e2937434329377d24"
	"45494341522d5354414e444152442d414e544956495255532d544553542d46"
	"494c452124482b482a\n";

static void
on_message(enum cl_msg severity, const char *full, const char *text, void *arg)
{
	(void)severity;
	(void)full;
	(void)arg;
	log_debug("clam: %s", log_text(text));
}

/* Once in a process. */
static int
init_library(struct err *e)
{
	static bool is_done;
	int rc;

	if (is_done)
		return 0;
	rc = cl_init(CL_INIT_DEFAULT);
	if (rc != CL_SUCCESS)
		return err_set(e, "libclamav: %s", cl_strerror(rc));
	cl_set_clcb_msg(on_message);
	is_done = true;
	return 0;
}

/* A signature of ours, by way of a file, which is all the library takes. */
static int
add_own(struct clam *c, const char *suffix, const char *text, struct err *e)
{
	char path[1100];
	int rc;

	if (!str_fmt(path, sizeof(path), "%s/own.%ld.%s", c->tmp,
		     (long)getpid(), suffix))
		return err_set(e, "%s: path too long", c->tmp);
	if (file_replace(path, text, strlen(text), 0600, e) != 0)
		return -1;
	rc = cl_load(path, c->engine, &c->own, CL_DB_STDOPT);
	(void)unlink(path);
	if (rc != CL_SUCCESS)
		return err_set(e, "%s: %s", path, cl_strerror(rc));
	return 0;
}

struct clam *
clam_new(const char *tmp, struct err *e)
{
	struct clam *c;

	if (init_library(e) != 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->engine = cl_engine_new();
	if (c->engine == NULL)
		bug("libclamav: no engine");
	(void)str_copy(c->tmp, sizeof(c->tmp), tmp);
	if (cl_engine_set_str(c->engine, CL_ENGINE_TMPDIR, tmp) != CL_SUCCESS ||
	    cl_engine_set_num(c->engine, CL_ENGINE_MAX_SCANSIZE,
			      SCAN_BYTES_MAX) != CL_SUCCESS ||
	    cl_engine_set_num(c->engine, CL_ENGINE_MAX_FILESIZE,
			      FILE_BYTES_MAX) != CL_SUCCESS ||
	    cl_engine_set_num(c->engine, CL_ENGINE_MAX_FILES, MEMBERS_MAX) !=
		    CL_SUCCESS ||
	    cl_engine_set_num(c->engine, CL_ENGINE_MAX_SCANTIME,
			      SCAN_TIME_MS) != CL_SUCCESS)
		err_set(e, "libclamav: limits");
	else if (add_own(c, "hdb", eicar_hdb, e) == 0 &&
		 add_own(c, "ndb", eicar_ndb, e) == 0)
		return c;
	clam_free(c);
	return NULL;
}

void
clam_free(struct clam *c)
{
	if (c == NULL)
		return;
	(void)cl_engine_free(c->engine);
	free(c);
}

/*
 * Loads it into an engine of its own, in a process of its own: a file that
 * crashes the library or is half written harms nobody.  The answer comes by
 * a pipe, since whoever waits for all children may be told of its end.
 */
static bool
try_load(const char *path)
{
	struct cl_engine *engine;
	unsigned n = 0;
	char is_good = 0;
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return false;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)alarm(300);
		engine = cl_engine_new();
		is_good =
			engine != NULL &&
			cl_load(path, engine, &n, CL_DB_STDOPT) == CL_SUCCESS &&
			cl_engine_compile(engine) == CL_SUCCESS;
		_exit(is_good && write(fd[1], &is_good, 1) == 1 ? 0 : 1);
	}
	file_shut(&fd[1]);
	while (pid > 0 && read(fd[0], &is_good, 1) < 0 && errno == EINTR)
		;
	file_shut(&fd[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return is_good != 0;
}

/* Once for each file as it is: most of a folder is as it was before. */
static bool
can_load(const char *path)
{
	static uint64_t good[2 * FILES_MAX];
	static size_t count;
	uint64_t sum = 14695981039346656037u; /* FNV-1a */
	struct stat st;
	size_t i;

	if (stat(path, &st) != 0)
		return false;
	for (i = 0; path[i] != '\0'; i++)
		sum = (sum ^ (unsigned char)path[i]) * 1099511628211u;
	sum = (sum ^ (uint64_t)st.st_dev) * 1099511628211u;
	sum = (sum ^ (uint64_t)st.st_ino) * 1099511628211u;
	sum = (sum ^ (uint64_t)st.st_size) * 1099511628211u;
	sum = (sum ^ (uint64_t)st.st_mtim.tv_sec) * 1099511628211u;
	sum = (sum ^ (uint64_t)st.st_mtim.tv_nsec) * 1099511628211u;
	for (i = 0; i < count && i < 2 * FILES_MAX; i++)
		if (good[i] == sum)
			return true;
	if (!try_load(path))
		return false;
	good[count++ % (2 * FILES_MAX)] = sum;
	return true;
}

/* Signatures by the ends of their names; a .ftm would take the built-in
 * file types away. */
static bool
is_signatures(const char *name)
{
	static const char *const ends[] = {
		".cvd", ".cld", ".cud",	 ".hdb", ".hsb",  ".hdu", ".hsu",
		".mdb", ".msb", ".mdu",	 ".msu", ".ndb",  ".ndu", ".ldb",
		".ldu", ".sdb", ".zmd",	 ".rmd", ".pdb",  ".gdb", ".wdb",
		".cdb", ".crb", ".cat",	 ".fp",	 ".sfp",  ".ign", ".ign2",
		".idb", ".yar", ".yara", ".cbc", ".pwdb", ".imp"
	};
	const char *dot = strrchr(name, '.');
	size_t i;

	if (dot == NULL || name[0] == '.')
		return false;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (str_eq(dot, ends[i]))
			return true;
	return false;
}

static void
warn_file(clam_warn_fn *fn, const char *path, const char *why)
{
	char text[1400];

	if (fn == NULL)
		return;
	(void)str_fmt(text, sizeof(text), "signatures %s left out: %s", path,
		      why);
	fn(text);
}

static int
add_file(struct clam *c, const char *path, bool tries, clam_warn_fn *fn)
{
	int rc;

	if (tries && !can_load(path)) {
		warn_file(fn, path, "they cannot be loaded");
		return 0;
	}
	rc = cl_load(path, c->engine, &c->signatures, CL_DB_STDOPT);
	if (rc != CL_SUCCESS)
		warn_file(fn, path, cl_strerror(rc));
	return rc == CL_SUCCESS;
}

int
clam_try(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');

	if (!is_signatures(slash != NULL ? slash + 1 : path))
		return err_set(e, "is no file of signatures that is used");
	if (access(path, R_OK) != 0)
		return err_sys(e, "cannot be read");
	if (init_library(e) != 0)
		return -1;
	return can_load(path) ? 0 : err_set(e, "cannot be loaded");
}

static int
is_wanted(const struct dirent *d)
{
	return is_signatures(d->d_name);
}

int
clam_add(struct clam *c, const char *dir, bool tries, clam_warn_fn *fn,
	 struct err *e)
{
	struct dirent **names;
	char path[1200];
	int i, n, loaded = 0;

	n = scandir(dir, &names, is_wanted, alphasort);
	if (n < 0)
		return err_sys(e, "signatures in %s", dir);
	for (i = 0; i < n; i++) {
		if (i < FILES_MAX &&
		    str_fmt(path, sizeof(path), "%s/%s", dir, names[i]->d_name))
			loaded += add_file(c, path, tries, fn);
		free(names[i]);
	}
	free(names);
	return loaded;
}

unsigned
clam_signatures(const struct clam *c)
{
	return c->signatures;
}

int
clam_ready(struct clam *c, struct err *e)
{
	int rc = cl_engine_compile(c->engine);

	if (rc != CL_SUCCESS)
		return err_set(e, "signatures: %s", cl_strerror(rc));
	return clam_self_test(c, e);
}

static void
take_name(struct clam_result *out, const char *name)
{
	str_printable(out->name, sizeof(out->name), name, strlen(name));
}

static void
take_found(struct clam_result *out, const char *name)
{
	/* No name: an object over the size limit. */
	take_name(out, name != NULL ? name : "Heuristics.Limits.Exceeded");
	if (str_has_prefix(out->name, "Heuristics.Limits."))
		out->verdict = CLAM_LIMITS;
	else if (str_has_prefix(out->name, "Heuristics.Encrypted."))
		out->verdict = CLAM_ENCRYPTED;
	else
		out->verdict = CLAM_FOUND;
}

/* A scan, for what the library finds on its way and cannot unpack. */
struct scanning {
	struct clam *c;
	int64_t end_ms;
	int depth;
	size_t *left; /* bytes that may still be unpacked, at all depths */
	struct clam_result found;
};

static void scan_at(struct clam *c, const char *p, size_t len, int64_t end_ms,
		    int depth, size_t *left, struct clam_result *out);

static int
on_unpacked(void *arg, struct span out)
{
	struct scanning *s = arg;
	struct clam_result r;

	*s->left -= out.len < *s->left ? out.len : *s->left;
	scan_at(s->c, out.p, out.len, s->end_ms, s->depth + 1, s->left, &r);
	if (r.verdict != CLAM_CLEAN && s->found.verdict != CLAM_FOUND)
		s->found = r;
	return s->found.verdict != CLAM_FOUND && clock_mono_ms() < s->end_ms;
}

static void
not_all_seen(struct scanning *s, const char *name)
{
	if (s->found.verdict != CLAM_CLEAN)
		return;
	s->found.verdict = CLAM_LIMITS;
	take_name(&s->found, name);
}

/*
 * The library unpacks the beginning of a member over its limit, and of a cut
 * archive what is there, and calls that clean.
 */
static void
look_at_zip(struct scanning *s, struct span in)
{
	switch (zip_shape(in, FILE_BYTES_MAX)) {
	case ZIP_CUT:
		not_all_seen(s, "Heuristics.Limits.Archive.Cut");
		break;
	case ZIP_LARGE:
		not_all_seen(s, "Heuristics.Limits.Archive.Member");
		break;
	default:
		break;
	}
}

/* Each file that the library comes to, wherever it lay. */
static cl_error_t
on_file(int fd, const char *type, const char **ancestors, size_t parent_size,
	const char *name, size_t size, const char *p, uint32_t level,
	uint32_t attributes, void *arg)
{
	struct scanning *s = arg;
	struct span in = { p, size };

	(void)fd, (void)type, (void)ancestors, (void)parent_size, (void)name;
	(void)level, (void)attributes;
	if (s == NULL || p == NULL)
		return CL_CLEAN;
	look_at_zip(s, in);
	if (!unlzma_is_likely(in))
		return CL_CLEAN;
	if (s->depth >= UNPACK_DEPTH_MAX ||
	    unlzma_each(in, *s->left, on_unpacked, s) != 0)
		not_all_seen(s, "Heuristics.Limits.Unpacked");
	return s->found.verdict == CLAM_FOUND ? CL_VIRUS : CL_CLEAN;
}

static void
scan(struct clam *c, const char *p, size_t len, int64_t time_ms,
     struct clam_result *out)
{
	size_t left = UNPACK_BYTES_MAX;

	scan_at(c, p, len, clock_mono_ms() + (time_ms > 0 ? time_ms : 1), 0,
		&left, out);
}

static void
scan_at(struct clam *c, const char *p, size_t len, int64_t end_ms, int depth,
	size_t *left, struct clam_result *out)
{
	struct scanning s = {
		.c = c, .end_ms = end_ms, .depth = depth, .left = left
	};
	int64_t time_ms = end_ms - clock_mono_ms();
	struct cl_scan_options options = {
		.general = CL_SCAN_GENERAL_HEURISTICS,
		.parse = ~0u,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX |
			     CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE |
			     CL_SCAN_HEURISTIC_ENCRYPTED_DOC,
	};
	unsigned long scanned = 0;
	const char *name = NULL;
	cl_fmap_t *map;
	int rc;

	memset(out, 0, sizeof(*out));
	if (len == 0)
		return;
	(void)cl_engine_set_num(c->engine, CL_ENGINE_MAX_SCANTIME,
				time_ms > 0 ? time_ms : 1);
	cl_engine_set_clcb_file_inspection(c->engine, on_file);
	map = cl_fmap_open_memory(p, len);
	if (map == NULL) {
		out->verdict = CLAM_FAILED;
		take_name(out, "no memory");
		return;
	}
	rc = cl_scanmap_callback(map, NULL, &name, &scanned, c->engine,
				 &options, &s);
	cl_fmap_close(map);
	if (s.found.verdict == CLAM_FOUND ||
	    (rc == CL_CLEAN && s.found.verdict != CLAM_CLEAN)) {
		*out = s.found;
	} else if (rc == CL_VIRUS) {
		take_found(out, name);
	} else if (rc == CL_ETIMEOUT || rc == CL_EMAXREC || rc == CL_EMAXSIZE ||
		   rc == CL_EMAXFILES) {
		take_name(out, cl_strerror(rc));
		out->verdict = CLAM_LIMITS;
	} else if (rc != CL_CLEAN) {
		take_name(out, cl_strerror(rc));
		out->verdict = CLAM_FAILED;
	}
}

void
clam_scan(struct clam *c, struct span in, bool is_mail, int64_t time_ms,
	  struct clam_result *out)
{
	static const char first[] = "Received: from mcgate\r\n";
	size_t n = sizeof(first) - 1;
	char *copy;

	if (!is_mail) {
		scan(c, in.p, in.len, time_ms, out);
		return;
	}
	copy = xmalloc(n + in.len);
	memcpy(copy, first, n);
	if (in.len > 0)
		memcpy(copy + n, in.p, in.len);
	scan(c, copy, n + in.len, time_ms, out);
	free(copy);
}

int
clam_self_test(struct clam *c, struct err *e)
{
	static unsigned count;
	char text[200];
	struct clam_result r;

	/* Other bytes each time: what is in the cache proves nothing.  In
	 * base64 in a mail, so that a part has to be written and read. */
	(void)str_fmt(text, sizeof(text), "%s%s", eicar_a, eicar_b);
	scan(c, text, strlen(text), SCAN_TIME_MS, &r);
	if (r.verdict == CLAM_FOUND) {
		(void)str_fmt(text, sizeof(text),
			      "X-N: %u\r\nMIME-Version: 1.0\r\n"
			      "Content-Transfer-Encoding: 7bit\r\n\r\n%s%s\r\n",
			      ++count, eicar_a, eicar_b);
		clam_scan(c, span_of(text), true, SCAN_TIME_MS, &r);
	}
	if (r.verdict != CLAM_FOUND)
		return err_set(e,
			       "the test virus is not found (%s): is %s "
			       "writable, and is there room?",
			       r.name[0] != '\0' ? r.name : "clean", c->tmp);
	return 0;
}
