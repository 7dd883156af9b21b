/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a program begins that watches mcd from outside.
 */
#ifndef BEGIN_H
#define BEGIN_H

#include "conf.h"

/* To where mcd.conf says. */
void begin_log(const struct conf *conf, const char *name);
/* Started by root, the process goes on as mcgate; fatal() when it cannot. */
void begin_rights(const struct conf *conf);

#endif
