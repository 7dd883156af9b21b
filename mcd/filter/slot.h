/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A place in the pool and the worker process in it: forked, limited for
 * each message, killed at its deadline, and the question whether its
 * death counts against the message it had.
 */
#ifndef SLOT_H
#define SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"
#include "peer.h"
#include "proto.h"

/* Why we ended a worker. */
enum slot_end {
	SLOT_ITSELF, /* we did not */
	SLOT_LATE, /* at its deadline */
	SLOT_BROKEN, /* it broke the rules of the channel */
	SLOT_STOPPED /* nothing it can help */
};

/* What a slot's process is. */
struct slot_kind {
	const char *title; /* of the process, and in the log */
	/* As worker_run(). */
	void (*run)(int channel, bool has_jail, int64_t memory_max)
		__attribute__((noreturn));
	int64_t memory; /* address space beyond the pool's at the fork */
	bool is_listed; /* among the parent's processes */
};
extern const struct slot_kind slot_scanner;

struct slot {
	const struct slot_kind *kind;
	unsigned index;
	pid_t pid; /* 0: none */
	peer_id peer; /* 0 when its channel is closed */
	bool is_ready;
	enum slot_end end;
	uint32_t restarts; /* deaths that we did not want */
	int64_t messages; /* taken by this process */
	bool is_busy; /* from slot_begin() to slot_finish() */
	unsigned generation; /* of what it shares with the pool */
	int64_t limit_ms; /* for the message under way */
	unsigned serial; /* of that message, in this slot */
	unsigned questions; /* to DNS, for that message */
	unsigned spamds; /* connections to spamd, for that message */
	bool is_asking; /* for one of them */
	uint64_t ticket; /* of the one it has, 0: none (relay_spamd.h) */
	uint64_t told; /* filters left out, as its process knows them */
	uint64_t trials; /* filters whose breaker that message tries */
	unsigned rbl_asks; /* of DNS lists, for that message */
	bool is_list_due; /* newer lists came while it was busy */
	bool is_last_look; /* the deadline is near */
	int64_t cpu_us; /* that the process had used by then */
	bool was_computing; /* at its deadline */
	int64_t delay_ms; /* before the next fork */
	struct timer deadline, again;
	struct job *job; /* the pool's; NULL: idle */
};

/* What all slots share; before the pool's own jail. */
void slots_prepare(bool has_jail);
/* While it is on none is started: those that are due come after it. */
void slots_hold(bool is_on);
/* What they share is new: processes from before are old. */
void slots_renew(void);
bool slot_is_old(const struct slot *s);
void slot_init(struct slot *s, const struct slot_kind *kind, unsigned index);
/* Forks, and tells the parent; tries again later when that fails. */
void slot_start(struct slot *s);
/* A message begins: deadline and CPU limit. */
void slot_begin(struct slot *s, int64_t limit_ms);
/* It is done. */
void slot_finish(struct slot *s);
void slot_kill(struct slot *s, enum slot_end why);
/* Its channel closed: it is about to be gone, or made to be. */
void slot_lost(struct slot *s);
/* Idle: its process sees its channel closed and exits. */
void slot_retire(struct slot *s);
/*
 * The process is gone, status is waitpid(2)'s: SCAN_DIED when its message,
 * had it one, is to blame, else SCAN_LOST; text says what happened.
 */
enum scan_status slot_gone(struct slot *s, int status, char *text, size_t size);
/* After slot_gone(): a new process, at once or after a while. */
void slot_replace(struct slot *s);

#endif
