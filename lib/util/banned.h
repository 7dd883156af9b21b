/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Calls that invite mistakes are compile errors.  The build includes this
 * file into every source before its first line.
 */
#ifndef BANNED_H
#define BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Macros in some builds: clang with _FORTIFY_SOURCE, glibc without it. */
#undef sprintf
#undef vsprintf
#undef alloca
#undef strdupa
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison strtok atoi atol atoll asctime ctime gmtime localtime
#pragma GCC poison tmpnam mktemp alloca strdupa

#endif
