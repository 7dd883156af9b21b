/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of commands.
 */
#include "command.h"

const struct command command_table[] = {
#define COMMAND(f, v, syn, opts, min, max, need, fn, help) \
	{ f, v, syn, opts, min, max, need, fn, help, false },
#define COMMAND_NET(f, v, syn, opts, min, max, need, fn, help) \
	{ f, v, syn, opts, min, max, need, fn, help, true },
#include "commands.def"
};
const size_t command_count = sizeof(command_table) / sizeof(*command_table);
