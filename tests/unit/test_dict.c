/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The dictionary against a plain array, under random operations; its hash
 * against values of an independent implementation.
 */
#include "dict.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define KEYS 1500
#define STEPS 300000

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % n);
}

static void
test_hash(void)
{
	/* hash() of CPython 3.11 with PYTHONHASHSEED=0: the key is zero. */
	static const struct {
		size_t len;
		uint64_t want;
	} rows[] = {
		{ 1, 0x68a914128e01e473 },  { 7, 0x2f098ab0c751325a },
		{ 8, 0xead411e67ebe2eea },  { 9, 0x75927f9d95124362 },
		{ 15, 0xf30eb725bb91c9ea }, { 16, 0x8972188433a5c5b7 },
		{ 63, 0x385d3e39e5f37359 },
	};
	static const uint64_t zero[2];
	unsigned char data[64];
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)i;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(hash_keyed(zero, data, rows[i].len) == rows[i].want,
		      "SipHash-1-3 of %zu bytes", rows[i].len);
	CHECK(hash_bytes("a", 1) == hash_bytes("a", 1), "a hash is stable");
	CHECK(hash_bytes("a", 1) != hash_keyed(zero, "a", 1),
	      "the process has a key");
}

/* Another process hashes with another key. */
static void
test_key(const char *self)
{
	uint64_t hashes[2] = { 0, 0 };
	int fds[2], i;
	char arg[16];
	pid_t pid;

	for (i = 0; i < 2; i++) {
		if (pipe(fds) == -1)
			return;
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			snprintf(arg, sizeof(arg), "%d", fds[1]);
			execl(self, self, arg, (char *)NULL);
			_exit(1);
		}
		close(fds[1]);
		if (read(fds[0], &hashes[i], sizeof(hashes[i])) <= 0)
			hashes[i] = 0;
		close(fds[0]);
		waitpid(pid, NULL, 0);
	}
	CHECK(hashes[0] != 0 && hashes[1] != 0 && hashes[0] != hashes[1],
	      "each process has a key of its own");
}

static int *values[KEYS];

static int
walk_differs(const struct dict *d)
{
	static char seen[KEYS];
	size_t it = 0, n = 0;
	const char *key;
	void *value;
	int bad = 0;
	long i;

	memset(seen, 0, sizeof(seen));
	while (dict_next(d, &it, &key, &value)) {
		i = strtol(key + 4, NULL, 10);
		bad += seen[i]++ != 0 || values[i] != value;
		n++;
	}
	return bad + (n != d->count);
}

static void
test_random(void)
{
	struct dict d = { 0 };
	size_t count = 0;
	static int store[STEPS];
	int bad = 0;
	unsigned i, k, span;
	char key[16];
	void *old;

	for (i = 0; i < STEPS; i++) {
		/* By turns many keys and few, so that it fills and drains. */
		span = i / 30000 % 2 ? KEYS / 50 : KEYS;
		k = random_below(span);
		snprintf(key, sizeof(key), "key-%u", k);
		bad += dict_get(&d, key) != values[k];
		if (random_below(5) < (i / 30000 % 3 ? 3 : 1)) {
			old = dict_set(&d, key, &store[i]);
			count += values[k] == NULL;
			bad += old != values[k];
			values[k] = &store[i];
		} else {
			old = dict_del(&d, key);
			count -= values[k] != NULL;
			bad += old != values[k];
			values[k] = NULL;
		}
		bad += d.count != count || d.used < d.count ||
		       d.used > d.cap - d.cap / 4;
		if (i % 5000 == 0)
			bad += walk_differs(&d);
	}
	CHECK_INT(bad, 0, "%d random operations agree with an array", STEPS);
	CHECK(d.cap <= 8 * KEYS, "churn does not grow the table: %zu", d.cap);
	dict_release(&d, NULL);
	CHECK(d.slots == NULL && d.count == 0, "a released one is empty");
}

static void
test_walk_delete(void)
{
	struct dict d = { 0 };
	size_t it = 0, seen = 0;
	const char *key;
	char text[16];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		dict_set(&d, text, NULL);
	}
	while (dict_next(&d, &it, &key, NULL)) {
		seen++;
		if (strtol(key, NULL, 10) % 3 != 0)
			dict_del(&d, key);
	}
	CHECK_INT(seen, 1000, "a walk that deletes meets every entry");
	CHECK_INT(d.count, 334, "and leaves the others");
	dict_release(&d, NULL);
}

static int freed;

static void
count_free(void *p)
{
	freed++;
	free(p);
}

static void
test_edges(void)
{
	struct dict d = { 0 };
	size_t it = 0;
	const char *key;
	char own[] = "own";

	CHECK(dict_get(&d, "x") == NULL, "an empty one has nothing");
	CHECK(dict_del(&d, "x") == NULL, "and nothing to delete");
	CHECK_INT(dict_next(&d, &it, &key, NULL), 0, "and nothing to walk");
	dict_release(&d, NULL);
	dict_set(&d, "", strdup("empty"));
	dict_set(&d, own, strdup("v"));
	own[0] = 'X';
	CHECK_STR(dict_get(&d, ""), "empty", "the empty key is a key");
	CHECK_STR(dict_get(&d, "own"), "v", "the key is copied");
	dict_release(&d, count_free);
	CHECK_INT(freed, 2, "a release frees each value once");
}

int
main(int argc, char **argv)
{
	uint64_t hash;

	if (argc == 2) {
		hash = hash_bytes("a", 1);
		return write((int)strtol(argv[1], NULL, 10), &hash,
			     sizeof(hash)) != (ssize_t)sizeof(hash);
	}
	test_hash();
	test_key(argv[0]);
	test_random();
	test_walk_delete();
	test_edges();
	return check_done();
}
