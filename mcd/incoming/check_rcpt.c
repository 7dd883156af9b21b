/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What control has said of a recipient from memory: whether the domain is
 * ours, and the local list.
 */
#include "check_impl.h"

#include "str.h"

enum check_result
check_relaying(struct check_run *r)
{
	return r->rcpt->status == RCPT_NOT_OURS ? CHECK_REFUSE : CHECK_PASS;
}

enum check_result
check_recipient(struct check_run *r)
{
	if (r->knobs->rcpt_check != RCPT_CHECK_LIST)
		return CHECK_OFF;
	/* RFC 5321 section 4.5.1: there always is a postmaster. */
	if (r->rcpt->status != RCPT_UNKNOWN || check_is_postmaster(r->rcpt))
		return CHECK_PASS;
	return CHECK_REFUSE;
}
