/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What lists say, as the result of a filter: for prerbl and urirbl, which
 * differ in what they ask for.
 */
#ifndef RBL_RESULT_H
#define RBL_RESULT_H

#include "filter.h"
#include "rbl.h"

/* Waits for the answers; each reply of a list is one symptom, which names
 * all that is listed with it. */
void rbl_result(const struct filter_mail *m, enum rbl_use use,
		struct filter_result *out);

#endif
