/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whose a setting or a row of a list is: everybody's, a domain's
 * (--domain) or a user's (--user).
 */
#ifndef TARGET_H
#define TARGET_H

#include "address.h"
#include "command.h"
#include "setting.h"

/* Which level the options name, and its subject. */
struct target {
	enum knob_level level;
	char subject[ADDRESS_TEXT_SIZE]; /* domain key or policy address */
	char asked[ADDRESS_TEXT_SIZE]; /* as policy_effective() takes it */
};

/* By the options of c; complains and returns an exit code. */
int target_of(struct ctx *c, struct target *t);
/* Of a user whose address is an argument. */
int target_of_user(struct ctx *c, const char *address, struct target *t);
/* "global", "domain", "user", "default" for 0. */
const char *target_level_name(unsigned level);
/* The key of a row: "global NAME", "domain D NAME", "user U NAME". */
bool target_key(const struct target *t, const char *name, char *dst,
		size_t size);

#endif
