/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a Received field (RFC 5321 section 4.4) says of the host that its
 * writer had the message from.  Whoever wrote it may lie: it is worth as
 * much as its writer is trusted.
 */
#ifndef RECEIVED_HOP_H
#define RECEIVED_HOP_H

#include <stdbool.h>

#include "buf.h"
#include "ip.h"

struct received_hop {
	struct ip ip; /* family 0: it names none */
	bool is_authenticated; /* RFC 3848: ESMTPA, ESMTPSA and their like */
};

/*
 * value is the field's, folds and all.  The address is that in the comment
 * behind "from", where the writer puts what it saw itself; what the client
 * said in HELO counts only where there is no such comment.
 */
void received_hop_read(struct span value, struct received_hop *out);

#endif
