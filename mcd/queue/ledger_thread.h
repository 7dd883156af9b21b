/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The thread that makes ledger lines durable.  Belongs to ledger_writer.c
 * alone.
 */
#ifndef LEDGER_THREAD_H
#define LEDGER_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "ledger.h"
#include "wake.h"

/* How far it is. */
struct ledger_durable {
	uint64_t number; /* of the last durable event */
	char file[LEDGER_NAME_SIZE]; /* it is in, "" before the first */
	uint64_t size; /* durable bytes of that file */
	uint64_t failures; /* so far */
	bool is_failing; /* the last try has failed */
	char why[512]; /* the last failure */
};

/* wake is sent after each change of the above. */
void ledger_thread_start(int ledger_fd, struct wake *wake);
/* Writes what waits, tries no failure again, ends. */
void ledger_thread_stop(void);
void ledger_thread_set_keep(int64_t keep_ms);
void ledger_thread_add(const char *hour, struct span line, uint64_t number);
/* Someone waits: at once, not at leisure. */
void ledger_thread_want(void);
void ledger_thread_look(struct ledger_durable *now);
size_t ledger_thread_waiting(void);
/* Lowers least to the hour of the oldest line that waits. */
void ledger_thread_least(char least[LEDGER_NAME_SIZE]);

#endif
