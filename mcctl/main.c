/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl: one command line.
 */
#include <locale.h>

#include "run.h"

int
main(int argc, char **argv)
{
	(void)argc;
	setlocale(LC_CTYPE, "");
	return run_words(argv + 1);
}
