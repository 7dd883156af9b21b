/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A command line from its words to its exit code.
 */
#ifndef RUN_H
#define RUN_H

/*
 * Runs the words behind "mcctl"; what there is to say goes to standard
 * output and error.  Returns an exit code of sysexits(3).  Rights that the
 * command gives up are gone for the process, so that who wants to run
 * several forks for each.  words, NULL at the end, are moved about.
 */
int run_words(char **words);

#endif
