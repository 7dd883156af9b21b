/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stats file and what the parent itself writes into it: its beat, the
 * table of processes, the ring of errors.
 */
#ifndef PARENT_STATS_H
#define PARENT_STATS_H

#include "err.h"
#include "parent_conf.h"
#include "stats.h"

/*
 * Puts a fresh run_dir/stats (0640, group of user_main) in the place of
 * an old one, which readers may still have mapped; counters go on from
 * lib_dir/stats.save.
 */
int parent_stats_open(const struct parent_conf *pc, struct err *e);
/* The file, for stats_map frames: not to be closed. */
int parent_stats_fd(void);
/* Each second; saves the counters each minute. */
void parent_stats_beat(void);
/* When the first of our certificates expires, 0: there is none. */
void parent_stats_certificates(int64_t ends_us);
/* Saves the counters. */
void parent_stats_save(void);

/* A row of the process table.  since is set when the state changes. */
void parent_stats_process(const char *key, int64_t pid,
			  enum process_state state, int64_t restarts);
/* There is no such process any more, nor will there be. */
void parent_stats_process_gone(const char *key);
/* One line to the log, as a warning, and to the ring of errors. */
void parent_stats_error(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#endif
