/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tables, objects and JSON as mcctl prints them, whatever strangers have
 * put into the values.
 */
#include "out.h"

#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "file.h"
#include "str.h"

static struct out out;
static int real_stdout;
static FILE *catcher;

static void
catch_begin(void)
{
	memset(&out, 0, sizeof(out));
	fflush(stdout);
	catcher = tmpfile();
	if (catcher == NULL || dup2(fileno(catcher), STDOUT_FILENO) < 0)
		exit(EXIT_FAILURE);
}

/* What was printed since; good until the next. */
static const char *
catch_end(void)
{
	static struct buf text;
	struct err e;

	fflush(stdout);
	buf_clear(&text);
	if (lseek(fileno(catcher), 0, SEEK_SET) < 0 ||
	    file_read_fd(fileno(catcher), &text, 1000000, &e) < 0 ||
	    dup2(real_stdout, STDOUT_FILENO) < 0)
		exit(EXIT_FAILURE);
	fclose(catcher);
	out_release(&out);
	return buf_str(&text);
}

static void
add_row(const char *name, int64_t size, const char *list)
{
	struct record r = { 0 };

	record_str(&r, "who", name);
	record_int(&r, "size_kb", size);
	record_list(&r, "items", list);
	out_row(&out, &r);
	record_release(&r);
}

static void
test_table(void)
{
	catch_begin();
	add_row("joe", 7, "a\nb");
	add_row("maximilian", 12345678, "");
	out_flush(&out);
	CHECK_STR(catch_end(),
		  "WHO          SIZE-KB  ITEMS\n"
		  "joe                7  a b\n"
		  "maximilian  12345678  -\n",
		  "columns are as wide as what they hold, numbers to the "
		  "right");
	catch_begin();
	out.no_headers = true;
	add_row("joe", 7, "a");
	out_flush(&out);
	CHECK_STR(catch_end(), "joe  7  a\n", "without headers");
	catch_begin();
	out_flush(&out);
	CHECK_STR(catch_end(), "", "no rows, no header");
}

static void
test_pages(void)
{
	const char *text;
	int headers = 0;
	bool is_aligned = true;

	catch_begin();
	add_row("a-name-that-is-wide", 1, "x");
	for (int i = 0; i < 2 * OUT_PAGE; i++)
		add_row("n", 1, "x");
	out_flush(&out);
	text = catch_end();
	for (const char *line = text; line != NULL && *line != '\0';
	     line = strchr(line, '\n') + 1) {
		headers += str_has_prefix(line, "WHO");
		is_aligned = is_aligned && line[30] != ' ' && line[29] == ' ';
	}
	CHECK_INT(headers, 1, "all pages have one header");
	CHECK(is_aligned, "and the columns of the first");
}

static void
test_strangers(void)
{
	catch_begin();
	add_row("\x1b[31mred\n\xff\xe2\x80\xae", 1, "a\x07\nb c");
	out_flush(&out);
	CHECK_STR(catch_end(),
		  "WHO          SIZE-KB  ITEMS\n"
		  "?[31mred???        1  a? b c\n",
		  "controls, line ends and odd bytes are not printed");
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
		check_skip("there is no locale C.UTF-8");
		return;
	}
	catch_begin();
	add_row("J\xc3\xbcrgen", 1, "\xe5\xb1\xb1");
	add_row("\xe5\xb1\xb1\xe7\x94\xb0", 22, "x");
	out_flush(&out);
	CHECK_STR(catch_end(),
		  "WHO     SIZE-KB  ITEMS\n"
		  "J\xc3\xbcrgen        1  \xe5\xb1\xb1\n"
		  "\xe5\xb1\xb1\xe7\x94\xb0         22  x\n",
		  "letters take the columns that a terminal gives them");
}

static void
test_object(void)
{
	struct record r = { 0 };

	record_str(&r, "name", "x");
	record_list(&r, "many_items", "a\nb\nc");
	record_bool(&r, "is", true);
	record_null(&r, "none");
	catch_begin();
	out_object(&out, &r);
	CHECK_STR(catch_end(),
		  "      name: x\n"
		  "many_items: a\n"
		  "            b\n"
		  "            c\n"
		  "        is: yes\n"
		  "      none: -\n",
		  "an object has a line a member, a list one an item");
	catch_begin();
	out.json = true;
	out_object(&out, &r);
	out_row(&out, &r);
	out_done(&out);
	CHECK_STR(catch_end(),
		  "{\"name\": \"x\", \"many_items\": [\"a\", \"b\", \"c\"], "
		  "\"is\": true, \"none\": null}\n"
		  "{\"name\": \"x\", \"many_items\": [\"a\", \"b\", \"c\"], "
		  "\"is\": true, \"none\": null}\n"
		  "{\"ok\":true}\n",
		  "JSON has a line an object");
	record_release(&r);
}

static void
test_widest(void)
{
	static char wide[100000];
	const char *text;

	memset(wide, 'w', sizeof(wide) - 1);
	catch_begin();
	add_row(wide, 1, wide);
	out_flush(&out);
	text = catch_end();
	CHECK(strlen(text) < 5000 && strstr(text, "...") != NULL,
	      "a cell is cut");
}

int
main(void)
{
	real_stdout = dup(STDOUT_FILENO);
	test_table();
	test_pages();
	test_strangers();
	test_object();
	test_widest();
	return check_done();
}
