/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stats mapping: each role writes its own, readers see whole sections,
 * a writer that died does no harm, totals are carried over.
 */
#include "stats.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "file.h"
#include "stats_layout.h"
#include "str.h"

static char dir[200], path[256], saved[256];
static struct stats_row_copy rows[STATS_ROWS_LIMIT];
static struct stats_line lines[1000];

static int
make_file(void)
{
	int fd = file_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0640);
	struct err e = { "" };

	if (fd < 0 || stats_create(fd, &e) != 0) {
		printf("# %s: %s\n", path, e.text);
		abort();
	}
	return fd;
}

static struct stats *
map(int fd, enum role self)
{
	struct err e = { "" };
	struct stats *s = stats_map(fd, self, &e);

	if (s == NULL) {
		printf("# %s\n", e.text);
		abort();
	}
	return s;
}

static void
test_values(void)
{
	int fd = make_file();
	struct stats *queue = map(fd, ROLE_QUEUE);
	struct stats *incoming = map(fd, ROLE_INCOMING);
	struct stats *reader = stats_open(path, NULL);
	int64_t all[STAT_COUNT];

	stats_add(queue, STAT_delivered, 3);
	stats_add(queue, STAT_delivered, 4);
	stats_set(queue, STAT_queue_outgoing, 12);
	stats_set(queue, STAT_queue_outgoing, 11);
	stats_add(incoming, STAT_in_messages, 5);
	CHECK_INT(stats_get(reader, STAT_delivered), 7, "a counter adds up");
	CHECK_INT(stats_get(reader, STAT_queue_outgoing), 11, "a gauge is set");
	CHECK_INT(stats_get(queue, STAT_in_messages), 5,
		  "a role reads what another wrote");
	stats_add(queue, STAT_in_messages, 100);
	stats_set(incoming, STAT_queue_outgoing, 100);
	stats_add(reader, STAT_in_messages, 100);
	CHECK(stats_get(reader, STAT_in_messages) == 5 &&
		      stats_get(reader, STAT_queue_outgoing) == 11,
	      "nobody writes what is another's");
	stats_add(NULL, STAT_in_messages, 1);
	stats_row_set(NULL, TABLE_DOMAIN,
		      stats_row(NULL, TABLE_DOMAIN, "a.example"), 0, 1);
	stats_ring_add(NULL, RING_DECISION, 1, "text");
	stats_beat(NULL, 1, 2, 3);
	stats_all(reader, all);
	CHECK(all[STAT_delivered] == 7 && all[STAT_queue_outgoing] == 11 &&
		      all[STAT_in_messages] == 5 && all[STAT_bounced] == 0,
	      "all at once are the same");
	stats_unmap(queue);
	queue = map(fd, ROLE_QUEUE);
	CHECK(stats_get(queue, STAT_delivered) == 7 &&
		      stats_get(queue, STAT_queue_outgoing) == 0,
	      "a role that starts again has its counters, its gauges are 0");
	stats_unmap(queue);
	stats_unmap(incoming);
	stats_unmap(reader);
	file_shut(&fd);
}

static void
test_names(void)
{
	int i, good = 0;

	for (i = 0; i < STAT_COUNT; i++) {
		enum stat_id st = (enum stat_id)i;

		good += stats_name(st)[0] != '\0' && stats_unit(st)[0] &&
			stats_help(st)[0] &&
			strlen(stats_name(st)) < STATS_NAME_SIZE &&
			strlen(stats_unit(st)) < STATS_NAME_SIZE;
	}
	CHECK_INT(good, STAT_COUNT, "each has name, unit and help");
	CHECK(stats_is_counter(STAT_delivered) &&
		      !stats_is_counter(STAT_queue_hold) &&
		      stats_role(STAT_queue_hold) == ROLE_QUEUE,
	      "kind and role are those of the table");
	CHECK_STR(stats_column_name(TABLE_PROCESS, PROCESS_SINCE_US),
		  "since_us", "columns have names");
	CHECK_STR(stats_column_name(TABLE_DOMAIN, 7), NULL,
		  "but for those without meaning");
	CHECK_STR(process_state_name(PROCESS_DOWN), "down",
		  "states of processes have names");
	CHECK_STR(process_state_name(77), "unknown", "others are unknown");
}

static const struct stats_row_copy *
find_row(const struct stats *s, enum stats_table t, const char *key)
{
	size_t n = stats_rows(s, t, rows, STATS_ROWS_LIMIT), i;

	for (i = 0; i < n; i++) {
		if (str_eq(rows[i].key, key))
			return &rows[i];
	}
	return NULL;
}

static void
test_table(void)
{
	int fd = make_file(), i;
	struct stats *s = map(fd, ROLE_QUEUE);
	char key[200];
	size_t row;

	CHECK_INT(stats_rows(s, TABLE_DOMAIN, rows, STATS_ROWS_LIMIT), 0,
		  "a table is empty at first");
	row = stats_row(s, TABLE_DOMAIN, "a.example");
	CHECK_INT(stats_row(s, TABLE_DOMAIN, "a.example"), row,
		  "a key has one row");
	stats_row_set(s, TABLE_DOMAIN, row, DOMAIN_QUEUED, 5);
	stats_row_add(s, TABLE_DOMAIN, row, DOMAIN_DELIVERED, 2);
	stats_row_add(s, TABLE_DOMAIN, row, DOMAIN_DELIVERED, 2);
	CHECK(find_row(s, TABLE_DOMAIN, "a.example") &&
		      find_row(s, TABLE_DOMAIN, "a.example")
				      ->n[DOMAIN_DELIVERED] == 4,
	      "numbers are in the row of their key");
	for (i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "d%d.example", i);
		row = stats_row(s, TABLE_DOMAIN, key);
		stats_row_add(s, TABLE_DOMAIN, row, DOMAIN_QUEUED, 1);
	}
	CHECK_INT(stats_rows(s, TABLE_DOMAIN, rows, STATS_ROWS_LIMIT), 1025,
		  "a table has 1,024 keys and one for all others");
	CHECK_INT(find_row(s, TABLE_DOMAIN, "other")->n[DOMAIN_QUEUED], 977,
		  "what finds no room is counted under other");
	stats_row_drop(s, TABLE_DOMAIN, "d7.example");
	stats_row_drop(s, TABLE_DOMAIN, "other");
	stats_row_drop(s, TABLE_DOMAIN, "never.example");
	CHECK(find_row(s, TABLE_DOMAIN, "d7.example") == NULL &&
		      find_row(s, TABLE_DOMAIN, "other") != NULL,
	      "a row is dropped, other is not");
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	stats_row_set(s, TABLE_DOMAIN, stats_row(s, TABLE_DOMAIN, key), 0, 9);
	key[STATS_KEY_SIZE - 1] = '\0';
	CHECK(find_row(s, TABLE_DOMAIN, key) &&
		      find_row(s, TABLE_DOMAIN, key)->n[0] == 9,
	      "its room is used again, a long key is cut");
	memset(key, 't', sizeof(key) - 1);
	stats_row_text(s, TABLE_DOMAIN, stats_row(s, TABLE_DOMAIN, "a.example"),
		       key);
	key[STATS_ROW_TEXT - 1] = '\0';
	CHECK_STR(find_row(s, TABLE_DOMAIN, "a.example")->text, key,
		  "a row has a text, cut where it is too long");
	stats_row_text(s, TABLE_DOMAIN, 5000, "x");
	stats_row_set(s, TABLE_DOMAIN, 5000, 0, 1);
	stats_row_set(s, TABLE_DOMAIN, 0, 8, 1);
	stats_row_set(s, TABLE_DOMAIN, 0, -1, 1);
	stats_unmap(s);
	s = map(fd, ROLE_QUEUE);
	CHECK(find_row(s, TABLE_DOMAIN, "a.example")->n[DOMAIN_DELIVERED] ==
			      4 &&
		      find_row(s, TABLE_DOMAIN, "a.example")
				      ->n[DOMAIN_QUEUED] == 0,
	      "a role that starts again keeps rows, their gauges are 0");
	row = stats_row(s, TABLE_DOMAIN, "a.example");
	stats_row_add(s, TABLE_DOMAIN, row, DOMAIN_DELIVERED, 1);
	CHECK_INT(find_row(s, TABLE_DOMAIN, "a.example")->n[DOMAIN_DELIVERED],
		  5, "and finds them by their keys");
	CHECK_INT(stats_rows(s, TABLE_DOMAIN, rows, 10), 10,
		  "a reader gets no more rows than it asks for");
	row = stats_row(s, TABLE_PROCESS, "queue");
	stats_row_set(s, TABLE_PROCESS, row, PROCESS_PID, 1);
	CHECK_INT(stats_rows(s, TABLE_PROCESS, rows, 10), 0,
		  "a table of another role is not written");
	stats_unmap(s);
	file_shut(&fd);
}

static void
test_ring(void)
{
	int fd = make_file(), i;
	struct stats *s = map(fd, ROLE_QUEUE);
	struct stats *parent = map(fd, ROLE_PARENT);
	char text[400];

	CHECK_INT(stats_ring(s, RING_DECISION, lines, 1000), 0,
		  "a ring is empty at first");
	for (i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		stats_ring_add(s, RING_DECISION, i, text);
	}
	CHECK_INT(stats_ring(s, RING_DECISION, lines, 1000), 3,
		  "it has what was added");
	CHECK_STR(lines[0].text, "line 2", "the newest first");
	CHECK_STR(lines[2].text, "line 0", "the oldest last");
	for (; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		stats_ring_add(s, RING_DECISION, i, text);
	}
	CHECK_INT(stats_ring(s, RING_DECISION, lines, 1000), 256,
		  "it keeps 256 lines");
	CHECK(lines[255].at_us == 744 && str_eq(lines[255].text, "line 744"),
	      "the newest of them");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	stats_ring_add(s, RING_DECISION, 7, text);
	CHECK_INT(stats_ring(s, RING_DECISION, lines, 1), 1,
		  "a reader gets no more than it asks for");
	CHECK_INT(strlen(lines[0].text), STATS_RING_TEXT - 1,
		  "a long text is cut");
	stats_ring_add(s, RING_ERROR, 7, "x");
	CHECK_INT(stats_ring(s, RING_ERROR, lines, 1), 0,
		  "a ring of another role is not written");
	stats_ring_add(parent, RING_ERROR, 7, "12345678");
	CHECK(stats_ring(s, RING_ERROR, lines, 1) == 1 &&
		      str_eq(lines[0].text, "12345678"),
	      "but by its own");
	stats_unmap(s);
	stats_unmap(parent);
	file_shut(&fd);
}

static void
test_alive(void)
{
	int fd = make_file();
	struct stats *parent = map(fd, ROLE_PARENT);
	struct stats *queue = map(fd, ROLE_QUEUE);
	int64_t beat, started, pid;

	stats_beat(parent, 11, 22, 33);
	stats_beat(queue, 1, 1, 1);
	stats_alive(queue, &beat, &started, &pid);
	CHECK(beat == 11 && started == 22 && pid == 33,
	      "the beat is the parent's");
	stats_unmap(parent);
	stats_unmap(queue);
	file_shut(&fd);
}

static void
test_dead_writer(void)
{
	int fd = make_file();
	struct stats *s = map(fd, ROLE_QUEUE);
	int64_t all[STAT_COUNT];

	stats_row_set(s, TABLE_DOMAIN, stats_row(s, TABLE_DOMAIN, "a.example"),
		      0, 4);
	stats_ring_add(s, RING_DECISION, 7, "text");
	stats_write_begin(&s->map->tables[TABLE_DOMAIN].seq);
	stats_write_begin(&s->map->rings[RING_DECISION].seq);
	stats_write_begin(&s->map->counters[ROLE_QUEUE].seq);
	CHECK(find_row(s, TABLE_DOMAIN, "a.example") != NULL &&
		      stats_ring(s, RING_DECISION, lines, 1) == 1,
	      "a reader gets by a writer that died in the middle");
	stats_all(s, all);
	CHECK_INT(all[STAT_delivered], 0, "by its counters too");
	stats_unmap(s);
	s = map(fd, ROLE_QUEUE);
	CHECK((s->map->tables[TABLE_DOMAIN].seq & 1) == 0 &&
		      (s->map->rings[RING_DECISION].seq & 1) == 0 &&
		      (s->map->counters[ROLE_QUEUE].seq & 1) == 0,
	      "the next writer puts its sections right");
	stats_unmap(s);
	file_shut(&fd);
}

/* The number in every text of the ring is also its time. */
static bool
is_torn(const struct stats_line *l)
{
	char want[STATS_RING_TEXT];

	snprintf(want, sizeof(want), "%0200lld", (long long)l->at_us);
	return !str_eq(l->text, want);
}

static void
write_until_killed(int fd)
{
	struct stats *s = map(fd, ROLE_QUEUE);
	char text[STATS_RING_TEXT];
	int64_t i;

	for (i = 0;; i++) {
		snprintf(text, sizeof(text), "%0200lld", (long long)i);
		stats_ring_add(s, RING_DECISION, i, text);
	}
}

static void
test_beside_writer(void)
{
	int fd = make_file(), i, torn = 0, seen = 0;
	struct stats *s = map(fd, ROLE_CTL);
	int64_t end_ms = clock_mono_ms() + 20000;
	pid_t writer = fork();
	size_t n, k;

	if (writer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_until_killed(fd);
	}
	while (stats_ring(s, RING_DECISION, lines, 256) < 256 &&
	       clock_mono_ms() < end_ms)
		sched_yield();
	for (i = 0; i < 300; i++) {
		/* Under a writer that never rests a copy may be given up. */
		n = stats_ring(s, RING_DECISION, lines, 256);
		for (k = 0; k < n; k++)
			torn += is_torn(&lines[k]);
		seen += (int)n;
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	CHECK(seen >= 300, "a reader beside a writer sees lines: %d", seen);
	CHECK(torn <= seen / 100, "and hardly a torn one: %d of %d", torn,
	      seen);
	n = stats_ring(s, RING_DECISION, lines, 256);
	for (k = 0, torn = 0; k < n; k++)
		torn += is_torn(&lines[k]);
	CHECK(n == 256 && torn == 0, "a killed writer leaves no line torn");
	stats_unmap(s);
	file_shut(&fd);
}

static void
refuse(int fd, const char *want, const char *words)
{
	struct err e = { "" };
	struct stats *s = stats_map(fd, ROLE_CTL, &e);

	CHECK(s == NULL && strstr(e.text, want) != NULL, "%s: %s", words,
	      e.text);
	stats_unmap(s);
}

static void
test_other_layout(void)
{
	int fd = make_file();
	struct err e;

	if (pwrite(fd, "X", 1, offsetof(struct stats_header, tables)) != 1)
		abort();
	refuse(fd, "another version", "another table is refused");
	file_shut(&fd);
	fd = make_file();
	if (pwrite(fd, "X", 1, offsetof(struct stats_header, layout)) != 1)
		abort();
	refuse(fd, "another version", "another layout is refused");
	if (ftruncate(fd, 4096) != 0)
		abort();
	refuse(fd, "another version", "another size is refused");
	file_shut(&fd);
	fd = make_file();
	if (pwrite(fd, "X", 1, 0) != 1)
		abort();
	refuse(fd, "not one of mcd's", "another file is refused");
	file_shut(&fd);
	e.text[0] = '\0';
	CHECK(stats_open("/nonexistent/stats", &e) == NULL &&
		      strstr(e.text, "/nonexistent/stats: No such") != NULL,
	      "no file is said so: %s", e.text);
}

static void
test_saved(void)
{
	static const char odd[] = "delivered=5\nno_such_counter=3\n"
				  "queue_hold=9\nwrong\nbounced=6\nlast=";
	int fd = make_file();
	struct stats *parent = map(fd, ROLE_PARENT);
	struct stats *queue = map(fd, ROLE_QUEUE);
	struct err e = { "" };

	CHECK_INT(stats_load(parent, saved, &e), 0, "nothing saved is fine");
	stats_add(queue, STAT_delivered, 41);
	stats_set(queue, STAT_queue_hold, 41);
	CHECK_INT(stats_save(parent, saved, &e), 0, "counters are saved: %s",
		  e.text);
	stats_unmap(parent);
	stats_unmap(queue);
	file_shut(&fd);
	fd = make_file();
	parent = map(fd, ROLE_PARENT);
	CHECK_INT(stats_load(parent, saved, &e), 0, "and loaded: %s", e.text);
	CHECK(stats_get(parent, STAT_delivered) == 41 &&
		      stats_get(parent, STAT_queue_hold) == 0,
	      "totals are carried over, gauges are not");
	if (file_replace(saved, odd, sizeof(odd) - 1, 0640, &e) != 0)
		abort();
	CHECK(stats_load(parent, saved, &e) != 0 &&
		      strstr(e.text, ":4: expected name=number") != NULL,
	      "a line that is none is said: %s", e.text);
	CHECK(stats_get(parent, STAT_delivered) == 46 &&
		      stats_get(parent, STAT_bounced) == 6 &&
		      stats_get(parent, STAT_queue_hold) == 0,
	      "the others are taken, what is unknown is skipped");
	stats_unmap(parent);
	queue = map(fd, ROLE_QUEUE);
	stats_load(queue, saved, NULL);
	CHECK_INT(stats_get(queue, STAT_delivered), 46,
		  "only the parent loads");
	stats_unmap(queue);
	file_shut(&fd);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/mcgate-stats.XXXXXX",
		 tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/stats", dir);
	snprintf(saved, sizeof(saved), "%s/saved", dir);
	test_values();
	test_names();
	test_table();
	test_ring();
	test_alive();
	test_dead_writer();
	test_beside_writer();
	test_other_layout();
	test_saved();
	unlink(path);
	unlink(saved);
	rmdir(dir);
	return check_done();
}
