/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asking a running mcd over its control socket, one command at a time.
 * Every wait has an end.
 */
#ifndef ASKING_H
#define ASKING_H

#include "conf.h"
#include "err.h"
#include "proto.h"
#include "record.h"

struct asking;

/*
 * NULL with *code and e: EX_UNAVAILABLE mcd does not run, EX_NOPERM it
 * runs and does not let us, EX_TEMPFAIL it does not take us now.
 */
struct asking *asking_open(const struct conf *conf, int *code, struct err *e);
void asking_close(struct asking *a);
/* How long to wait for the next row; a minute unless said otherwise. */
void asking_set_wait(struct asking *a, int wait_ms);

/* What is done with an answer. */
struct asking_sink {
	/* Each row; non-zero stops.  May be NULL. */
	int (*row)(void *arg, const struct value *values, size_t count,
		   struct span encoded);
	/* The rows of a page are complete; may be NULL. */
	void (*page)(void *arg);
	void *arg;
};

/*
 * Runs a command with its pages until the last.  Returns the exit code of
 * sysexits(3) that the answer carries, and its text in e: why it is not
 * EX_OK, or what there is to say besides.  EX_UNAVAILABLE: mcd went away.
 */
int asking_run(struct asking *a, const char *command, const char *arg,
	       const struct asking_sink *sink, struct err *e);
/* The same with a message to judge, a descriptor that is taken. */
int asking_trial(struct asking *a, const struct frame_trial_ask *ask, int fd,
		 const struct asking_sink *sink, struct err *e);

#endif
