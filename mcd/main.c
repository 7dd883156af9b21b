/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcd: options, and the table of the roles that live in this program.
 */
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "parent.h"
#include "role.h"
#include "str.h"

/* Each stands in its folder's header, which only that folder sees. */
extern const struct role_ops incoming_ops, queue_ops, lookup_ops, outgoing_ops,
	control_ops, store_ops;

static const struct role_ops *const roles[] = {
	&incoming_ops, &queue_ops,   &lookup_ops,
	&outgoing_ops, &control_ops, &store_ops,
};

static const char usage[] =
	"usage: mcd [-ft] [-c FILE]\n"
	"       mcd -h | -V\n"
	"  -c FILE  the configuration instead of %s\n"
	"  -f       stay in the foreground, as mcd always does\n"
	"  -t       test the configuration and exit\n"
	"  -h       print this\n"
	"  -V       print the version\n";

static int
run_role(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (str_eq(role_name(roles[i]->role), name))
			role_run(roles[i]);
	}
	fprintf(stderr, "mcd: -x %s: no role of this program\n", name);
	return 64;
}

int
main(int argc, char **argv)
{
	const char *conf_path = conf_default_path, *role = NULL;
	int c, is_test = 0;

	log_open("mcd", LOG_TO_STDERR, LOG_LEVEL_INFO);
	while ((c = getopt(argc, argv, "c:fhtVx:")) != -1) {
		switch (c) {
		case 'c':
			conf_path = optarg;
			break;
		case 'f':
			break;
		case 't':
			is_test = 1;
			break;
		case 'V':
			printf("mcd %s\n", MCGATE_VERSION);
			return fflush(stdout) == 0 ? 0 : 74;
		case 'h':
			printf(usage, conf_default_path);
			return fflush(stdout) == 0 ? 0 : 74;
		case 'x':
			role = optarg;
			break;
		default:
			fprintf(stderr, usage, conf_default_path);
			return 64;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mcd: %s: not expected\n", argv[optind]);
		fprintf(stderr, usage, conf_default_path);
		return 64;
	}
	if (role != NULL)
		return run_role(role);
	return is_test ? parent_test(conf_path) : parent_run(conf_path);
}
