/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What workers know beside the message: it comes as descriptors, is kept
 * by the pool for the workers to come, and replaced between two messages.
 */
#ifndef DATA_H
#define DATA_H

#include <stdint.h>

#include "err.h"
#include "lists.h"
#include "tokens_map.h"

/* A worker's. */
struct worker_data {
	struct lists *lists; /* NULL: none have come yet */
	uint64_t left_out; /* filters whose breaker is open, bits */
	unsigned rbl_uses; /* set of enum rbl_use: there are DNS lists for it */
	struct tokens_map bayes; /* base NULL: nothing was learnt yet */
};

/* Reads what a descriptor holds; what was there stays when it cannot be
 * read.  fd stays the caller's. */
int worker_data_lists(struct worker_data *d, int fd, uint64_t size,
		      struct err *e);
int worker_data_bayes(struct worker_data *d, int fd, struct err *e);

#endif
