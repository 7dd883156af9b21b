/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Chance for sharing load: nothing here is a secret.
 */
#ifndef CHANCE_H
#define CHANCE_H

#include <stddef.h>

/* Puts n things of a size in any order, each as likely as the other. */
void chance_shuffle(void *things, size_t n, size_t size);

#endif
