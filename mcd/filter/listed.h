/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the lists of senders say of a message, for one policy.
 */
#ifndef LISTED_H
#define LISTED_H

#include "judge.h"

/* Fills out; it is found or not. */
void listed_look(const struct filter_mail *m, const struct judge_policy *p,
		 struct sender_match *out);
/* One line for people: the list, the entry, its level, and what fitted. */
void listed_text(const struct sender_match *s, char *dst, size_t size);

#endif
