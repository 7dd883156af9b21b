/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Strings: comparison and copies, numbers with units both ways, the
 * nearest word, CRC-32.  Text of strangers is in test_text.c.
 */
#include "str.h"

#include <ctype.h>

#include "check.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t
random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

static void
test_ascii(void)
{
	int bad = 0;
	int c;

	for (c = -128; c < 256; c++) {
		if (c < 0 || c > 127) {
			bad += ascii_lower(c) != c || ascii_isalpha(c) ||
			       ascii_isdigit(c) || ascii_isalnum(c) ||
			       ascii_isspace(c);
			continue;
		}
		bad += ascii_lower(c) != tolower(c);
		bad += ascii_isalpha(c) != !!isalpha(c);
		bad += ascii_isdigit(c) != !!isdigit(c);
		bad += ascii_isalnum(c) != !!isalnum(c);
		bad += ascii_isspace(c) != !!isspace(c);
	}
	CHECK_INT(bad, 0, "classes are those of C in its own locale");
}

static void
test_compare(void)
{
	static const struct {
		const char *a, *b;
		int is_eq, is_ieq, is_prefix;
	} rows[] = {
		{ "", "", 1, 1, 1 },	     { "a", "", 0, 0, 1 },
		{ "", "a", 0, 0, 0 },	     { "abc", "abc", 1, 1, 1 },
		{ "abc", "ABC", 0, 1, 0 },   { "abc", "ab", 0, 0, 1 },
		{ "ab", "abc", 0, 0, 0 },    { "[", "{", 0, 0, 0 },
		{ "\xc4", "\xe4", 0, 0, 0 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_INT(str_eq(rows[i].a, rows[i].b), rows[i].is_eq,
			  "\"%s\" eq \"%s\"", rows[i].a, rows[i].b);
		CHECK_INT(str_ieq(rows[i].a, rows[i].b), rows[i].is_ieq,
			  "\"%s\" ieq \"%s\"", rows[i].a, rows[i].b);
		CHECK_INT(str_has_prefix(rows[i].a, rows[i].b),
			  rows[i].is_prefix, "\"%s\" begins with \"%s\"",
			  rows[i].a, rows[i].b);
	}
}

static void
test_copy(void)
{
	char dst[8] = "?";

	CHECK(str_copy(dst, 4, "abc"), "three letters fit four bytes");
	CHECK_STR(dst, "abc", "and are copied");
	CHECK(!str_copy(dst, 4, "abcd"), "four letters do not");
	CHECK_STR(dst, "abc", "and are cut");
	CHECK(!str_copy(dst, 1, "x"), "one byte holds no letter");
	CHECK_STR(dst, "", "but the end");
	CHECK(str_copy(dst, 1, ""), "and the empty string");
	dst[0] = 'k';
	CHECK(!str_copy(dst, 0, ""), "no bytes hold nothing");
	CHECK_INT(dst[0], 'k', "and are not written to");
	CHECK(str_fmt(dst, 1, "%s", ""), "a format of nothing fits");
	CHECK(str_fmt(dst, 4, "%d", 123), "a format fits");
	CHECK_STR(dst, "123", "and is whole");
	CHECK(!str_fmt(dst, 4, "%d", 1234), "one too long does not");
	CHECK_STR(dst, "123", "and is cut");
	str_copy(dst, sizeof(dst), "AbZ[\xc4");
	str_lower(dst);
	CHECK_STR(dst, "abz[\xc4", "only ASCII letters become lower case");
}

static void
test_numbers(void)
{
	static const struct {
		const char *s;
		int is_u64, is_i64;
		uint64_t u;
		int64_t i;
	} rows[] = {
		{ "0", 1, 1, 0, 0 },
		{ "007", 1, 1, 7, 7 },
		{ "9223372036854775807", 1, 1, INT64_MAX, INT64_MAX },
		{ "9223372036854775808", 1, 0, 9223372036854775808U, 0 },
		{ "18446744073709551615", 1, 0, UINT64_MAX, 0 },
		{ "18446744073709551616", 0, 0, 0, 0 },
		{ "99999999999999999999999", 0, 0, 0, 0 },
		{ "-1", 0, 1, 0, -1 },
		{ "-0", 0, 1, 0, 0 },
		{ "-9223372036854775808", 0, 1, 0, INT64_MIN },
		{ "-9223372036854775809", 0, 0, 0, 0 },
		{ "+1", 0, 0, 0, 0 },
		{ "--1", 0, 0, 0, 0 },
		{ "", 0, 0, 0, 0 },
		{ "-", 0, 0, 0, 0 },
		{ " 1", 0, 0, 0, 0 },
		{ "1 ", 0, 0, 0, 0 },
		{ "0x1", 0, 0, 0, 0 },
		{ "1e3", 0, 0, 0, 0 },
		{ "1.0", 0, 0, 0, 0 },
		{ "\xd9\xa1", 0, 0, 0, 0 },
	};
	uint64_t u;
	int64_t n;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		u = 4711;
		rc = str_to_u64(rows[i].s, &u, NULL);
		CHECK(rc == (rows[i].is_u64 ? 0 : -1) &&
			      u == (rows[i].is_u64 ? rows[i].u : 4711),
		      "u64 of \"%s\"", rows[i].s);
		u = 4711;
		rc = span_to_u64(span_of(rows[i].s), &u);
		CHECK(rc == (rows[i].is_u64 ? 0 : -1) &&
			      u == (rows[i].is_u64 ? rows[i].u : 4711),
		      "u64 of the span \"%s\"", rows[i].s);
		n = 4711;
		rc = str_to_i64(rows[i].s, &n, NULL);
		CHECK(rc == (rows[i].is_i64 ? 0 : -1) &&
			      n == (rows[i].is_i64 ? rows[i].i : 4711),
		      "i64 of \"%s\"", rows[i].s);
	}
	CHECK_INT(span_to_u64((struct span){ "12\0", 3 }, &u), -1,
		  "a NUL in a span is no digit");
}

static void
test_number_errors(void)
{
	char longer[200];
	struct err e;
	uint64_t u;

	str_to_u64("1\033[2J\n", &u, &e);
	CHECK_STR(e.text, "\"1?[2J?\" is not a whole number",
		  "an error shows the value made printable");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	str_to_u64(longer, &u, &e);
	CHECK(strlen(e.text) < 100 && strstr(e.text, "x...\" is not") != NULL,
	      "and cut");
}

static void
test_durations(void)
{
	static const struct {
		const char *s;
		int64_t ms; /* -1: refused */
	} rows[] = {
		{ "0", 0 },
		{ "15", 15000 },
		{ "15s", 15000 },
		{ "2m", 120000 },
		{ "3h", 10800000 },
		{ "5d", 432000000 },
		{ "250ms", 250 },
		{ "1h30m", 5400000 },
		{ "1d2h3m4s5ms", 93784005 },
		{ "90m", 5400000 },
		{ "0s", 0 },
		{ "1m1ms", 60001 },
		{ "106751991167d", 9223372036828800000 },
		{ "9223372036854775807ms", INT64_MAX },
		{ "9223372036854775", 9223372036854775000 },
		{ "106751991168d", -1 },
		{ "9223372036854775808ms", -1 },
		{ "9223372036854776", -1 },
		{ "106751991167d8h", -1 },
		{ "99999999999999999999s", -1 },
		{ "", -1 },
		{ "s", -1 },
		{ "1h30", -1 },
		{ "30m1h", -1 },
		{ "1h1h", -1 },
		{ "1ms1m", -1 },
		{ "1w", -1 },
		{ "1H", -1 },
		{ "1msec", -1 },
		{ "-1s", -1 },
		{ "1 s", -1 },
		{ "1s ", -1 },
		{ "1.5h", -1 },
	};
	struct err e;
	int64_t ms;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		ms = -1;
		rc = str_to_duration_ms(rows[i].s, &ms, &e);
		CHECK_INT(ms, rows[i].ms, "the duration \"%s\"", rows[i].s);
		CHECK_INT(rc, rows[i].ms == -1 ? -1 : 0, "its return code");
	}
	str_to_duration_ms("5 days", &ms, &e);
	CHECK_STR(e.text,
		  "\"5 days\" is not a duration such as 250ms, 15s, 2m, "
		  "1h30m or 5d",
		  "a wrong one is answered with right ones");
}

static void
test_say_duration(void)
{
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{ 0, "0s" },	     { 1, "1ms" },
		{ 1000, "1s" },	     { 1500, "1500ms" },
		{ 60000, "1m" },     { 90000, "90s" },
		{ 5400000, "90m" },  { 129600000, "36h" },
		{ 432000000, "5d" }, { 86401000, "1d1s" },
		{ 60001, "1m1ms" },  { -1500, "-1500ms" },
		{ 604800000, "7d" }, { INT64_MAX, "9223372036854775807ms" },
		{ 100000, "100s" },  { INT64_MIN, "-9223372036854775808ms" },
		{ 3601000, "1h1s" },
	};
	char text[64];
	int bad = 0;
	int64_t ms, back;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		str_duration(text, sizeof(text), rows[i].ms);
		CHECK_STR(text, rows[i].want, "%lld ms as text",
			  (long long)rows[i].ms);
	}
	for (i = 0; i < 20000; i++) {
		ms = (int64_t)(random64() >> (1 + random64() % 63));
		if (i % 2 == 0)
			ms -= ms % 1000;
		str_duration(text, sizeof(text), ms);
		bad += str_to_duration_ms(text, &back, NULL) == -1 ||
		       back != ms;
	}
	CHECK_INT(bad, 0, "20,000 random durations are read back");
	str_duration(text, 3, 1500);
	CHECK_STR(text, "15", "a text too long is cut");
}

static void
test_bytes(void)
{
	static const struct {
		const char *s;
		int is_ok;
		uint64_t want;
	} rows[] = {
		{ "0", 1, 0 },
		{ "1500", 1, 1500 },
		{ "4k", 1, 4096 },
		{ "4K", 1, 4096 },
		{ "10M", 1, 10485760 },
		{ "10m", 1, 10485760 },
		{ "1G", 1, 1073741824 },
		{ "2T", 1, 2199023255552 },
		{ "16777215T", 1, 18446742974197923840U },
		{ "16777216T", 0, 0 },
		{ "18446744073709551615", 1, UINT64_MAX },
		{ "18446744073709551616", 0, 0 },
		{ "18446744073709551615k", 0, 0 },
		{ "", 0, 0 },
		{ "k", 0, 0 },
		{ "1x", 0, 0 },
		{ "1kk", 0, 0 },
		{ "1kB", 0, 0 },
		{ "1 k", 0, 0 },
		{ "-1k", 0, 0 },
	};
	uint64_t n;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		n = 4711;
		rc = str_to_bytes(rows[i].s, &n, NULL);
		CHECK(rc == (rows[i].is_ok ? 0 : -1) &&
			      n == (rows[i].is_ok ? rows[i].want : 4711),
		      "the size \"%s\"", rows[i].s);
	}
}

static void
test_say_bytes(void)
{
	static const struct {
		uint64_t n;
		const char *want;
	} rows[] = {
		{ 0, "0 B" },
		{ 812, "812 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1075, "1.0 KiB" },
		{ 1076, "1.1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 102348, "99.9 KiB" },
		{ 102349, "100 KiB" },
		{ 102911, "100 KiB" },
		{ 102912, "101 KiB" },
		{ 1048063, "1023 KiB" },
		{ 1048064, "1.0 MiB" },
		{ 1048576, "1.0 MiB" },
		{ 1503238553, "1.4 GiB" },
		{ UINT64_MAX, "16.0 EiB" },
		{ UINT64_MAX >> 4, "1.0 EiB" },
		{ 1ULL << 59, "512 PiB" },
	};
	char text[32];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		str_bytes(text, sizeof(text), rows[i].n);
		CHECK_STR(text, rows[i].want, "%llu bytes as text",
			  (unsigned long long)rows[i].n);
	}
}

static void
test_bool(void)
{
	static const struct {
		const char *s;
		int want; /* -1: refused */
	} rows[] = {
		{ "yes", 1 },  { "no", 0 },    { "on", 1 },    { "off", 0 },
		{ "true", 1 }, { "false", 0 }, { "1", 1 },     { "0", 0 },
		{ "YES", 1 },  { "Off", 0 },   { "y", -1 },    { "", -1 },
		{ "2", -1 },   { " yes", -1 }, { "yess", -1 }, { "01", -1 },
	};
	struct err e;
	bool b;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		b = rows[i].want == 0;
		rc = str_to_bool(rows[i].s, &b, &e);
		CHECK_INT(rc == -1 ? -1 : b, rows[i].want, "the boolean \"%s\"",
			  rows[i].s);
	}
}

static void
test_nearest(void)
{
	static const char *const words[] = { "list",	 "show",   "set",
					     "add",	 "delete", "explain",
					     "resolver", "unhold", "hold",
					     "workers",	 "xy",	   "o",
					     NULL };
	static const char *const none[] = { NULL };
	static const struct {
		const char *s, *want, *words;
	} rows[] = {
		{ "list", "list", "the word itself" },
		{ "LIST", "list", "in another case" },
		{ "lst", "list", "a letter missing" },
		{ "liist", "list", "a letter too many" },
		{ "lisp", "list", "another letter" },
		{ "lsit", "list", "two letters swapped" },
		{ "tsil", NULL, "two swaps are too far for four letters" },
		{ "dleete", "delete", "one swap" },
		{ "delte", "delete", "one letter missing in six" },
		{ "lsb", NULL, "one missing and one other, three there" },
		{ "dlet", NULL, "two letters missing, four there" },
		{ "dlete", "delete", "one missing, five there" },
		{ "dltee", "delete", "one missing, one swap" },
		{ "resovler", "resolver", "a swap in eight" },
		{ "rseovler", "resolver", "two swaps in eight" },
		{ "rseovlre", NULL, "three swaps in eight" },
		{ "xresolverxx", "resolver", "three too many, eleven there" },
		{ "hodl", "hold", "the nearer of hold and unhold" },
		{ "nhold", "unhold", "of two as near the first one" },
		{ "x", NULL, "one letter is not another" },
		{ "y", NULL, "nor two" },
		{ "oz", NULL, "nor are two one" },
		{ "", NULL, "nothing" },
		{ "quarantine", NULL, "a word far away" },
	};
	char longer[100];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_STR(str_nearest(rows[i].s, words), rows[i].want,
			  "nearest to \"%s\": %s", rows[i].s, rows[i].words);
	CHECK(str_nearest("x", none) == NULL, "no words, no nearest");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK(str_nearest(longer, words) == NULL, "a long word has none");
	CHECK(str_nearest("hold", (const char *const[]){ longer, NULL }) ==
		      NULL,
	      "and is none");
}

static uint32_t
slow_crc(const unsigned char *p, size_t len)
{
	uint32_t crc = 0xffffffff;
	size_t i;
	int k;

	for (i = 0; i < len; i++) {
		crc ^= p[i];
		for (k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void
test_crc(void)
{
	unsigned char data[300];
	int bad = 0;
	size_t from, len, i;
	uint32_t crc;

	CHECK_INT(crc32_update(0, "", 0), 0, "the CRC of nothing");
	CHECK_INT(crc32_update(0, "123456789", 9), 0xcbf43926,
		  "the check value of the standard");
	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)random64();
	for (i = 0; i < 2000; i++) {
		from = random64() % 16;
		len = random64() % (sizeof(data) - 16);
		crc = crc32_update(0, data + from, len / 3);
		crc = crc32_update(crc, data + from + len / 3, len - len / 3);
		bad += crc != slow_crc(data + from, len);
	}
	CHECK_INT(bad, 0, "at any place, of any length, in two parts");
}

int
main(void)
{
	test_ascii();
	test_compare();
	test_copy();
	test_numbers();
	test_number_errors();
	test_durations();
	test_say_duration();
	test_bytes();
	test_say_bytes();
	test_bool();
	test_nearest();
	test_crc();
	return check_done();
}
