/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A command of mcctl: one row of commands.def gives parser, help and
 * manual.  Exit codes are those of sysexits(3).
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "err.h"
#include "out.h"
#include "policy.h"

/* What a command wants prepared before it runs. */
enum command_need {
	NEED_NOTHING,
	NEED_CONF, /* ctx->conf */
	NEED_DB_READ, /* and ctx->db */
	NEED_DB_WRITE, /* and a transaction, committed after exit 0 */
	NEED_FILE_DB_WRITE /* and ctx->file: the first argument, opened for
			    * reading with the rights of who called */
};

#define OPTIONS_MAX 12 /* of one command */
#define OPTION_VALUES_MAX 64

/* --name VALUE, as often as it was given. */
struct option_values {
	const char *value[OPTION_VALUES_MAX];
	size_t count;
};

struct ctx {
	const struct command *command;
	const char *conf_path;
	struct conf conf;
	struct db *db;
	struct out out;
	/* A command that writes is refused when what it changes was changed
	 * with a serial above since. */
	bool is_guarded;
	int64_t since;
	/* Options that commands.def allows; see option(). */
	struct option_values options[OPTIONS_MAX];
	/* Set by a command: done when what it wrote is in force. */
	int (*then)(struct ctx *c);
	int file; /* of NEED_FILE_DB_WRITE */
	bool is_dry_run; /* set by a command: nothing of it is to stay */
	char **args; /* without options */
	int arg_count;
	char **words; /* all, as they were given */
};

struct command {
	const char *family, *verb; /* verb "" for a family of one */
	const char *synopsis; /* behind the verb */
	/* Names parted by blanks: "dest" takes a value, "wait!" none, "from/f"
	 * is -f too. */
	const char *options;
	int min_args, max_args;
	enum command_need need;
	int (*run)(struct ctx *c);
	const char *help;
	bool is_net; /* mcctl-net runs it */
};

extern const struct command command_table[];
extern const size_t command_count;

/* The values of an option; count 0 when it was not given. */
const struct option_values *option(const struct ctx *c, const char *name);
/* Whether an option was given. */
bool option_is_given(const struct ctx *c, const char *name);
/* The last value of an option, NULL when it was not given. */
const char *option_value(const struct ctx *c, const char *name);
/* An option that is a number from 1 to max, otherwise where it was not given;
 * complains and returns an exit code. */
int option_count(struct ctx *c, const char *name, size_t otherwise, size_t max,
		 size_t *out);

/* Says what was wrong, as text or as JSON, and returns code. */
int complain(struct ctx *c, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with "warning: " in front, when it was done nevertheless. */
void caution(struct ctx *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The exit code that goes with a failed database call. */
int complain_db(struct ctx *c, enum db_result r, const struct err *e);
/* `WHAT "NAME": not known; did you mean X?`; returns EX_DATAERR. */
int complain_unknown(struct ctx *c, const char *what, const char *name,
		     const char *const *known);

/* For several families; each complains and returns an exit code.
 * key holds ADDRESS_DOMAIN_MAX + 1. */
int domain_key(struct ctx *c, const char *name, char *key);
int domain_not_known(struct ctx *c, const char *name);

/* A destination as an administrator writes it. */
struct dest {
	char endpoint[POLICY_HOST_SIZE + 16]; /* HOST:PORT as it is keyed */
	char priority[16];
};
/* HOST or HOST:PORT, an IPv6 address with or without brackets; -1 with e. */
int dest_endpoint(const char *text, struct dest *d, struct err *e);
/* The same, ",PRIORITY" behind it or not. */
int dest_parse(const char *text, struct dest *d, struct err *e);

#define COMMAND(f, v, syn, opts, min, max, need, fn, help) \
	int fn(struct ctx *c);
#include "commands.def"

#endif
