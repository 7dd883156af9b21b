/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The parent: starts, watches, reloads and stops the roles.  It keeps the
 * rights it was started with and therefore never looks at mail, nor at
 * anything that a stranger sent.
 */
#ifndef PARENT_H
#define PARENT_H

/* Runs mcd; returns its exit status, as in sysexits(3). */
int parent_run(const char *conf_path);
/* Checks the configuration, says what is wrong or that nothing is. */
int parent_test(const char *conf_path);

#endif
