/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The one line of a delivery that an operator reads, for each recipient:
 *
 * ID deliver message_id=<..> to=<..> relay=NAME[IP]:PORT delay=1.25
 * delays=0.10/1.00/0.05/0.10 tls="TLSv1.3 verified" dsn=2.0.0 status=sent
 * "250 2.0.0 taken"
 */
#ifndef DELIVERY_LOG_H
#define DELIVERY_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* Monotonic, but for received_us. */
struct delivery_times {
	int64_t received_us; /* wall clock, accepted */
	int64_t waited_ms; /* in the queue for delivery, and earlier tries */
	int64_t asked_ms; /* the delivery began */
	int64_t begun_ms; /* the session took the mail, 0: it never did */
};

struct delivery_line {
	const char *name;
	const char *message_id;
	const char *address;
	const char *relay; /* "": none */
	const char *tls;
	const struct client_result *result;
	const struct delivery_times *times;
	bool is_8bit_unasked;
};

void delivery_log(const struct delivery_line *l);

#endif
