/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a program begins that watches mcd from outside.
 */
#ifndef BEGIN_H
#define BEGIN_H

#include "conf.h"

/* EX_OK; or says on stderr as name what is wrong with the file of path, and
 * returns what to exit with. */
int begin_conf(const char *name, const char *path, struct conf *conf);
/* The same of an address, from an option or mcd.conf, that key takes. */
int begin_address(const char *name, char option, const char *key,
		  const char *address);
/* To where mcd.conf says. */
void begin_log(const struct conf *conf, const char *name);
/* Started by root, the process goes on as mcgate; fatal() when it cannot. */
void begin_rights(const struct conf *conf);

#endif
