/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcd-filter: the program of the filter role, the only one that scanning
 * libraries are linked with.  The parent starts it.
 */
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "pool.h"
#include "role.h"
#include "str.h"
#include "virus_test.h"

int
main(int argc, char **argv)
{
	const char *signatures = NULL, *to_try = NULL;
	bool is_role = false;
	int c;

	log_open("mcd/filter", LOG_TO_STDERR, LOG_LEVEL_INFO);
	/* -c is what a list of processes shows: the parent sends the file. */
	while ((c = getopt(argc, argv, "c:l:t:Vx:")) != -1) {
		if (c == 'V') {
			printf("mcd-filter %s\n", MCGATE_VERSION);
			return fflush(stdout) == 0 ? 0 : 74;
		}
		if (c == 't')
			signatures = optarg;
		if (c == 'l')
			to_try = optarg;
		if (c == 'x' && str_eq(optarg, role_name(ROLE_FILTER)))
			is_role = true;
		else if (c != 'c')
			is_role = false;
	}
	if (signatures != NULL && optind == argc - 1)
		return virus_test(signatures, str_eq(argv[optind], "json"));
	if (to_try != NULL && optind == argc)
		return signatures_try(to_try);
	if (!is_role || optind < argc) {
		fprintf(stderr, "usage: mcd-filter -V\n"
				"mcd starts this program; see mcd(8)\n");
		return 64;
	}
	role_run(&filter_ops);
}
