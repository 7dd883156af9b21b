/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcd.conf: what it may say, and what is said about each mistake in it.
 */
#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "conf_keys.h"
#include "file.h"
#include "str.h"

#define SMTP "listeners = ( { name = \"smtp\"; address = \"0.0.0.0:25\"; } );\n"
#define L_FORM "expected { name = \"smtp\"; address = \"0.0.0.0:25\"; }"
#define A_FORM "expected ADDR:PORT such as \"0.0.0.0:25\" or \"[::]:25\""
#define L_WITH(more) \
	"listeners = ( { name = \"a\"; address = \"[::]:25\"; " more " } );"
#define N_FORM                                                      \
	"expected addresses and networks such as [ \"192.0.2.1\", " \
	"\"2001:db8::/32\" ]"

/* Read from memory as "c"; want is the error, NULL for none. */
static const struct {
	const char *words;
	const char *text;
	const char *want;
} cases[] = {
	{ "one listener is enough", SMTP, NULL },
	{ "comments of three kinds", SMTP "# a\n// b \"\n/* { ( */", NULL },
	{ "a group, with colons and commas",
	  SMTP "log : { target = \"stderr\", level = \"debug\" }", NULL },
	{ "strings are joined", SMTP "hostname = \"mx.\" \"example.org\";",
	  NULL },
	{ "int64 and hex are whole numbers",
	  SMTP "workers = 4L; committers = 0x10;", NULL },
	{ "true in capitals", SMTP "jail = TRUE;", NULL },
	{ "a resolver", SMTP "resolver = \"::1@53\";", NULL },
	{ "@include within a line is text", SMTP "hostname = \"\"; # @include",
	  NULL },

	{ "an empty file", "",
	  "c:1: no listeners: expected " CONF_LISTENERS_FORM },
	{ "no listeners", "\nworkers = 1;\n",
	  "c:2: no listeners: expected " CONF_LISTENERS_FORM },
	{ "an empty list of listeners", "listeners = ();",
	  "c:1: no listeners: expected " CONF_LISTENERS_FORM },
	{ "a mistyped key", SMTP "workes = 1;",
	  "c:2: unknown key \"workes\": did you mean \"workers\"?" },
	{ "a mistyped key in a group", SMTP "log =\n{ levle = \"info\"; };",
	  "c:3: unknown key \"log.levle\": did you mean \"log.level\"?" },
	{ "a mistyped group", SMTP "path = { };",
	  "c:2: unknown key \"path\": did you mean \"paths\"?" },
	{ "a mistyped listeners", "listener = ();",
	  "c:1: unknown key \"listener\": did you mean \"listeners\"?" },
	{ "a key out of its group", SMTP "spool = \"/x\";",
	  "c:2: unknown key \"spool\": expected it within its group, as "
	  "paths.spool" },
	{ "a key unlike any", SMTP "colour = \"red\";",
	  "c:2: unknown key \"colour\": expected hostname, node, "
	  "paths, users, jail, log, workers, spf_workers, "
	  "committers, watchdog_s, tls_ca, clamav, spamd, resolver, tls, snmp, "
	  "prometheus, alert, listeners, certificates" },
	{ "a key unlike any in its group", SMTP "log = { colour = 1; };",
	  "c:2: unknown key \"log.colour\": expected target, level" },
	{ "a number as a string", SMTP "workers = \"2\";",
	  "c:2: workers is a string: expected a whole number from 1 to 256" },
	{ "a fraction", SMTP "workers = 1.5;",
	  "c:2: workers is a number with a fraction: expected a whole number "
	  "from 1 to 256" },
	{ "a string as a number", SMTP "hostname = 1;",
	  "c:2: hostname is a number: expected a string in quotes" },
	{ "a bool as a number", SMTP "jail = 1;",
	  "c:2: jail is a number: expected true or false" },
	{ "a group as a string", SMTP "log = \"stderr\";",
	  "c:2: log is a string: expected log = { ... };" },
	{ "a list as a group", "listeners = { };",
	  "c:1: listeners is a group { }: expected a list ( ), "
	  "" CONF_LISTENERS_FORM },
	{ "a number too small", SMTP "workers = 0;",
	  "c:2: workers is 0: expected 1 to 256" },
	{ "a number too large", SMTP "\n\nworkers = 257;",
	  "c:4: workers is 257: expected 1 to 256" },
	{ "a negative number", SMTP "workers = -1;",
	  "c:2: workers is -1: expected 1 to 256" },
	{ "a number that would wrap to 1", SMTP "workers = 4294967297;",
	  "c:2: number too large: expected at most 2147483647" },
	{ "the same in hex", SMTP "workers = 0x100000001L;",
	  "c:2: number too large: expected at most 2147483647" },
	{ "no host name", SMTP "hostname = \"mx 1\";",
	  "c:2: hostname is \"mx 1\": expected a host name such as "
	  "mx1.example.org" },
	{ "a relative path", SMTP "paths = { spool = \"spool\"; };",
	  "c:2: paths.spool is \"spool\": expected an absolute path" },
	{ "an empty user", SMTP "users = { net = \"\"; };",
	  "c:2: users.net is \"\": expected the name of a user" },
	{ "a user like an option", SMTP "users = { net = \"-x\"; };",
	  "c:2: users.net is \"-x\": expected the name of a user" },
	{ "an unknown target", SMTP "log = { target = \"file\"; };",
	  "c:2: log.target is \"file\": expected \"syslog\" or \"stderr\"" },
	{ "an unknown level", SMTP "log = { level = \"INFO\"; };",
	  "c:2: log.level is \"INFO\": expected \"error\", \"warn\", "
	  "\"info\" or \"debug\"" },
	{ "a resolver without a port", SMTP "resolver = \"192.0.2.1\";",
	  "c:2: resolver is \"192.0.2.1\": expected ADDR@PORT such as "
	  "\"192.0.2.53@53\", or \"\" for /etc/resolv.conf" },
	{ "a resolver by name", SMTP "resolver = \"ns.example@53\";",
	  "c:2: resolver is \"ns.example@53\": expected ADDR@PORT such as "
	  "\"192.0.2.53@53\", or \"\" for /etc/resolv.conf" },
	{ "a control character", SMTP "hostname = \"a\\x07\";",
	  "c:2: hostname holds a control character or is not UTF-8: "
	  "expected one line of text" },
	{ "a line break in a string", SMTP "hostname = \"a\nb\";",
	  "c:2: hostname holds a control character or is not UTF-8: "
	  "expected one line of text" },
	{ "bytes that are not UTF-8", SMTP "paths = { lib = \"/\xff\"; };",
	  "c:2: paths.lib holds a control character or is not UTF-8: "
	  "expected one line of text" },
	{ "an escaped NUL", SMTP "hostname = \"a\\x00b\";",
	  "c:2: a NUL in a string: expected text" },

	{ "a listener that is no group", "listeners = ( \"0.0.0.0:25\" );",
	  "c:1: listener is a string: " L_FORM },
	{ "a listener without an address",
	  "listeners = (\n{ name = \"a\"; } );",
	  "c:2: listener without an address: " L_FORM },
	{ "a listener without a name",
	  "listeners = ( { address = \"[::]:25\"; } );",
	  "c:1: listener without a name: " L_FORM },
	{ "an unknown key of a listener",
	  "listeners = ( { name = \"a\"; adress = \"[::]:25\"; } );",
	  "c:1: unknown key \"adress\" of a listener: expected name, address, "
	  "tls, proxy_from or xclient_from" },
	{ "an unknown kind of TLS", L_WITH("tls = \"on\";"),
	  "c:1: tls is \"on\": expected \"starttls\", \"implicit\" or "
	  "\"none\"" },
	{ "networks that are one string", L_WITH("proxy_from = \"::1\";"),
	  "c:1: proxy_from is a string: " N_FORM },
	{ "a network that is none", L_WITH("xclient_from = [ \"::1/129\" ];"),
	  "c:1: xclient_from: \"::1/129\" is not a network such as "
	  "192.0.2.0/24 or 2001:db8::/32: " N_FORM },
	{ "TLS from the first byte without a certificate",
	  "\n" L_WITH("tls = \"implicit\";"),
	  "c:2: listener \"a\" has tls = \"implicit\" but there is no "
	  "certificate: expected certificates = ( " CONF_CERTIFICATE_FORM
	  " );" },
	{ "a certificate that is no group", SMTP "certificates = ( 1 );",
	  "c:2: certificate is a number: expected " CONF_CERTIFICATE_FORM },
	{ "a certificate by a relative path",
	  SMTP "certificates = ( { cert = \"a.pem\"; } );",
	  "c:2: cert of a certificate is \"a.pem\": expected an absolute "
	  "path" },
	{ "a key without its certificate",
	  SMTP "certificates = (\n{ key = \"/a.pem\"; } );",
	  "c:3: certificate without cert: expected " CONF_CERTIFICATE_FORM },
	{ "an unknown key of a certificate",
	  SMTP "certificates = ( { file = \"/a.pem\"; } );",
	  "c:2: unknown key \"file\" of a certificate: expected "
	  "" CONF_CERTIFICATE_FORM },
	{ "an unknown version of TLS", SMTP "tls = { min_version = \"1.1\"; };",
	  "c:2: tls.min_version is \"1.1\": expected \"1.2\" or \"1.3\"" },
	{ "a name in capitals",
	  "listeners = ( { name = \"SMTP\"; address = \"[::]:25\"; } );",
	  "c:1: name of a listener is not fit: expected 1 to 63 of a-z, 0-9 "
	  "and -" },
	{ "two of one name",
	  "listeners = ( { name = \"a\"; address = \"[::]:25\"; },\n"
	  "{ name = \"a\"; address = \"[::]:26\"; } );",
	  "c:2: two listeners are named \"a\": expected a name of its own "
	  "for each" },
	{ "two of one address",
	  "listeners = ( { name = \"a\"; address = \"[::]:25\"; },\n"
	  "{ name = \"b\"; address = \"[0::0]:25\"; } );",
	  "c:2: address is that of listener \"a\": expected one of its own" },
	{ "port 0",
	  "listeners = ( { name = \"a\"; address = \"127.0.0.1:0\"; } );",
	  "c:1: address is \"127.0.0.1:0\", with port 0: " A_FORM },

	{ "an include", SMTP " \t@include \"/etc/passwd\"",
	  "c:2: @include is not known here: expected all settings in one "
	  "file" },
	{ "an include in a comment", SMTP "/*\n@include \"x\"\n*/",
	  "c:3: @include is not known here: expected all settings in one "
	  "file" },
	{ "a key twice", SMTP "workers = 1;\nworkers = 2;",
	  "c:3: duplicate setting name: expected lines such as key = value;" },
	{ "no value", SMTP "workers = ;",
	  "c:2: syntax error: expected lines such as key = value;" },
	{ "a string without a key", SMTP "hostname \"a\";",
	  "c:2: a string without a key: expected lines such as key = "
	  "\"value\";" },
	{ "a list of strings in a group", SMTP "log = { \"a\", \"b\" };",
	  "c:2: a string without a key: expected lines such as key = "
	  "\"value\";" },
	{ "a string that does not end", SMTP "hostname = \"a;\njail = true;",
	  "c:2: string without an end: expected \"" },
	{ "a comment that does not end", "/* " SMTP,
	  "c:1: comment without an end: expected */" },
	{ "a bracket that does not end", SMTP "\nlog = { level = \"info\";",
	  "c:3: bracket without an end: expected }" },
	{ "a bracket of the wrong kind", "listeners = (\n{ name = \"a\" )",
	  "c:2: ): expected } for what line 2 opens" },
	{ "a bracket too much", SMTP "};",
	  "c:2: } closes nothing: expected none" },
};

static void
check_cases(void)
{
	struct conf conf;
	struct err e;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e.text[0] = '\0';
		rc = conf_parse(span_of(cases[i].text), "c", &conf, &e);
		CHECK_STR(rc == 0 ? NULL : e.text, cases[i].want, "%s",
			  cases[i].words);
		if (rc == -1)
			CHECK(conf.path == NULL && conf.hostname == NULL,
			      "%s: nothing is left behind", cases[i].words);
		conf_release(&conf);
	}
}

static void
check_defaults(void)
{
	struct conf conf;
	struct err e;

	CHECK_INT(conf_parse(SPAN_LIT(SMTP), "c", &conf, &e), 0,
		  "what is not said has its default");
	CHECK_STR(conf.user_net, "mcgate-net", "a string");
	CHECK_INT(conf.workers, 2, "a number");
	CHECK_INT(conf.jail, 1, "a bool");
	CHECK_STR(conf.path, "c", "the path is kept");
	CHECK_INT(conf.listener_count, 1, "the listener is counted");
	CHECK_STR(conf.listeners[0].name, "smtp", "its name");
	CHECK_INT(conf.listeners[0].address.port, 25, "its port");
	conf_release(&conf);
}

static void
check_lists(void)
{
	static const char text[] =
		"listeners = ( { name = \"smtps\"; address = \"[::]:465\";\n"
		"  tls = \"implicit\"; proxy_from = [ \"192.0.2.0/24\",\n"
		"  \"::1\" ]; xclient_from = ( \"192.0.2.9\" ); } );\n"
		"certificates = ( { cert = \"/a.pem\"; key = \"/a.key\"; },\n"
		"  { cert = \"/b.pem\"; } );\n";
	struct conf conf;
	struct err e;
	struct ip ip;

	CHECK_INT(conf_parse(span_of(text), "c", &conf, &e), 0, "lists");
	CHECK_INT(conf.listeners[0].tls, CONF_TLS_IMPLICIT, "tls");
	CHECK_INT(conf.listeners[0].proxy_from.count, 2, "two networks");
	(void)ip_parse("192.0.2.77", &ip, NULL);
	CHECK(conf_nets_have(&conf.listeners[0].proxy_from, &ip), "in one");
	CHECK(!conf_nets_have(&conf.listeners[0].xclient_from, &ip),
	      "not in another");
	CHECK_INT(conf.certificate_count, 2, "two certificates");
	CHECK_STR(conf.certificates[0].key, "/a.key", "a key of its own");
	CHECK_STR(conf.certificates[1].key, "/b.pem", "a key in the same file");
	conf_release(&conf);
}

static void
check_values(void)
{
	static const char text[] =
		SMTP "hostname = \"mx1.example.org\"; node = 4095;\n"
		     "paths = { spool = \"/a\"; lib = \"/b\"; run = \"/c\";\n"
		     "  libexec = \"/d\"; };\n"
		     "users = { main = \"m\"; net = \"n\"; queue = \"q\";\n"
		     "  scan = \"s\"; };\n"
		     "jail = false; workers = 7; committers = 9;\n"
		     "log = { target = \"stderr\"; level = \"debug\"; };\n"
		     "watchdog_s = 5; resolver = \"192.0.2.53@53\";\n";
	struct conf conf;
	struct err e;

	CHECK_INT(conf_parse(span_of(text), "c", &conf, &e), 0,
		  "a file with every key");
	CHECK_STR(conf.hostname, "mx1.example.org", "hostname");
	CHECK_INT(conf.node, 4095, "node");
	CHECK_STR(conf.spool_dir, "/a", "paths.spool");
	CHECK_STR(conf.lib_dir, "/b", "paths.lib");
	CHECK_STR(conf.run_dir, "/c", "paths.run");
	CHECK_STR(conf.libexec_dir, "/d", "paths.libexec");
	CHECK_STR(conf.user_main, "m", "users.main");
	CHECK_STR(conf.user_net, "n", "users.net");
	CHECK_STR(conf.user_queue, "q", "users.queue");
	CHECK_STR(conf.user_scan, "s", "users.scan");
	CHECK_INT(conf.jail, 0, "jail");
	CHECK_STR(conf.log_target, "stderr", "log.target");
	CHECK_STR(conf.log_level, "debug", "log.level");
	CHECK_INT(conf.workers, 7, "workers");
	CHECK_INT(conf.committers, 9, "committers");
	CHECK_INT(conf.watchdog_s, 5, "watchdog_s");
	CHECK_STR(conf.resolver, "192.0.2.53@53", "resolver");
	conf_release(&conf);
}

/* The error for text, which is given back. */
static const char *
error_of(const struct buf *text)
{
	static struct err e;
	struct conf conf;

	e.text[0] = '\0';
	if (conf_parse(buf_span(text), "c", &conf, &e) == 0)
		conf_release(&conf);
	return e.text;
}

static void
check_bounds(void)
{
	struct buf b = { 0 };
	int i;

	buf_add(&b, SMTP "\0", sizeof(SMTP));
	CHECK_STR(error_of(&b), "c:2: a NUL byte: expected text", "a NUL");
	buf_clear(&b);
	buf_add_str(&b, "x = ");
	for (i = 0; i < 17; i++)
		buf_add_str(&b, "(");
	CHECK_STR(error_of(&b),
		  "c:1: too many brackets within brackets: expected at most "
		  "two",
		  "brackets too deep");
	buf_clear(&b);
	for (i = 0; i < 20001; i++)
		buf_printf(&b, "a%d=1\n", i);
	CHECK_STR(error_of(&b),
		  "c:20001: too many settings: expected a few dozen",
		  "too many settings");
	buf_clear(&b);
	buf_add_str(&b, "listeners = (");
	for (i = 0; i < CONF_LISTENERS_MAX + 1; i++)
		buf_printf(&b, "%s{ name = \"l%d\"; address = \"[::]:%d\"; }",
			   i > 0 ? "," : "", i, i + 1);
	buf_add_str(&b, ");");
	CHECK_STR(error_of(&b), "c:1: 65 listeners: expected at most 64",
		  "too many listeners");
	buf_clear(&b);
	memset(buf_reserve(&b, CONF_FILE_MAX + 1), ' ', CONF_FILE_MAX + 1);
	buf_commit(&b, CONF_FILE_MAX + 1);
	CHECK_STR(error_of(&b),
		  "c:1: too large: expected at most 1048576 bytes",
		  "a file too large");
	buf_release(&b);
}

static void
check_descriptor(void)
{
	static const char text[] = SMTP "workers = 3;";
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct conf conf;
	struct err e;
	int ends[2];

	CHECK(fd >= 0 && file_write_all(fd, text, strlen(text)) == 0,
	      "a descriptor whose offset is at its end");
	CHECK(conf_read_fd(fd, "c", &conf, &e) == 0 && conf.workers == 3,
	      "it is read from its start");
	conf_release(&conf);
	CHECK(conf_read_fd(fd, "c", &conf, &e) == 0 && conf.workers == 3,
	      "and again");
	conf_release(&conf);
	CHECK_INT(ftruncate(fd, CONF_FILE_MAX + 10), 0, "it grows");
	CHECK_INT(conf_read_fd(fd, "c", &conf, &e), -1, "too large then");
	CHECK_STR(e.text, "c:1: too large: expected at most 1048576 bytes",
		  "which is said");
	file_shut(&fd);
	CHECK(pipe(ends) == 0 && conf_read_fd(ends[0], "c", &conf, &e) == -1,
	      "a pipe is refused");
	CHECK_STR(e.text, "c: not a file: expected a regular one",
		  "which is said");
	close(ends[0]);
	close(ends[1]);
}

static void
check_files(const char *dir)
{
	struct conf conf;
	char path[256];
	char want[512];
	struct err e;

	str_fmt(path, sizeof(path), "%s/none.conf", dir);
	CHECK_INT(conf_read(path, &conf, &e), -1, "no file");
	str_fmt(want, sizeof(want), "%s: open: %s", path, strerror(ENOENT));
	CHECK_STR(e.text, want, "which is said");
	CHECK_INT(conf_read(dir, &conf, &e), -1, "a folder");
	str_fmt(path, sizeof(path), "%s/fifo", dir);
	CHECK_INT(mkfifo(path, 0600), 0, "a named pipe without a writer");
	CHECK_INT(conf_read(path, &conf, &e), -1, "does not block");
	unlink(path);
	str_fmt(path, sizeof(path), "%s/mcd.conf", dir);
	CHECK_INT(file_replace(path, SMTP, strlen(SMTP), 0644, &e), 0,
		  "a file");
	CHECK_INT(conf_read(path, &conf, &e), 0, "is read");
	CHECK_STR(conf.path, path, "and known by its path");
	conf_release(&conf);
	unlink(path);
}

/* Without the comment sign before lines that are settings, and with /x for
 * each name between at signs. */
static void
uncomment(const char *in, struct buf *out)
{
	bool is_start = true;

	for (; *in != '\0'; in++) {
		if (is_start && *in == '#' && in[1] != ' ' && in[1] != '\n') {
			is_start = false;
			continue;
		}
		is_start = *in == '\n';
		if (*in == '@' && ascii_isalpha(in[1])) {
			buf_add_str(out, "/x");
			in += 1 + strcspn(in + 1, "@");
			continue;
		}
		buf_add_char(out, *in);
	}
}

/* The key of each row stands in text as "NAME = ". */
static void
check_all_named(const char *text)
{
	const char *dot;
	char word[128];
	size_t i;

	for (i = 0; i < conf_row_count; i++) {
		dot = strchr(conf_rows[i].key, '.');
		str_fmt(word, sizeof(word),
			"%s = ", dot != NULL ? dot + 1 : conf_rows[i].key);
		CHECK(strstr(text, word) != NULL, "the example has %s",
		      conf_rows[i].key);
	}
}

static bool
is_default(const struct conf *conf, const struct conf_row *row)
{
	const void *at = (const char *)conf + row->offset;

	if (row->type == CONF_TYPE_INT)
		return *(const int64_t *)at == row->dflt;
	if (row->type == CONF_TYPE_BOOL)
		return *(const bool *)at == (row->dflt != 0);
	/* Folders depend on configure. */
	return str_has_prefix(row->key, "paths.") ||
	       str_eq(row->key, "clamav.third_party") ||
	       str_eq(*(char *const *)at, row->text);
}

static void
check_example(void)
{
	const char *src = getenv("MCGATE_SRCDIR");
	struct buf in = { 0 }, text = { 0 };
	char path[512];
	struct conf conf;
	struct err e;
	size_t i;
	int rc;

	str_fmt(path, sizeof(path), "%s/etc/mcd.conf.example.in",
		src != NULL ? src : ".");
	if (!CHECK(file_read(path, &in, CONF_FILE_MAX, &e) == 0,
		   "the example is there"))
		return;
	rc = conf_parse(buf_span(&in), "example", &conf, &e);
	CHECK_STR(rc == 0 ? NULL : e.text, NULL, "the example is right");
	conf_release(&conf);
	uncomment(buf_str(&in), &text);
	rc = conf_parse(buf_span(&text), "example", &conf, &e);
	CHECK_STR(rc == 0 ? NULL : e.text, NULL,
		  "also with all that is commented out");
	for (i = 0; rc == 0 && i < conf_row_count; i++)
		CHECK(is_default(&conf, &conf_rows[i]),
		      "it shows the default of %s", conf_rows[i].key);
	check_all_named(buf_str(&text));
	conf_release(&conf);
	buf_release(&in);
	buf_release(&text);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	char dir[256];

	str_fmt(dir, sizeof(dir), "%s/conf.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	check_cases();
	check_defaults();
	check_lists();
	check_values();
	check_bounds();
	check_descriptor();
	check_files(dir);
	check_example();
	rmdir(dir);
	return check_done();
}
