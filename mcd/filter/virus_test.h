/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcd-filter -t, which is `mcctl test virus`: one file on standard input.
 */
#ifndef VIRUS_TEST_H
#define VIRUS_TEST_H

#include <stdbool.h>

/* dir: of the official signatures, "": none.  Returns an exit code. */
int virus_test(const char *dir, bool is_json);

/* Whether a file of signatures can be loaded; an exit status, and why not on
 * standard output. */
int signatures_try(const char *path);

#endif
