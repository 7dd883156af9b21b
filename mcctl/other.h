/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The programs below libexec that mcctl becomes for some commands: mcd-filter
 * has the scanning libraries, mcctl-net those that ask the network.  Most
 * commands want neither and start in a third of the time without them.
 */
#ifndef OTHER_H
#define OTHER_H

#include "command.h"

/*
 * Where a program is: in paths.libexec of the conf, which is read; without
 * one, and for what needs none, in the tree that mcctl lies in, built or
 * installed.  EX_OK or, having complained, another exit code.
 */
int other_find(struct ctx *c, const char *program, char *path, size_t size);

/* Whether this program is mcctl-net, which runs all commands itself. */
bool other_is_this(void);

#endif
