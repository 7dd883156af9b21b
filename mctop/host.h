/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What /proc and the file system say of the host and of processes.  A
 * figure that cannot be had is -1.
 */
#ifndef HOST_H
#define HOST_H

#include <stddef.h>
#include <stdint.h>

struct host {
	int64_t cpu_busy, cpu_all; /* clock ticks since boot */
	int64_t memory_used, memory_all; /* bytes */
	int64_t swap_used, swap_all; /* bytes */
	int64_t load[3]; /* hundredths */
	int64_t cores;
	int64_t disk_used, disk_all, disk_free; /* bytes, where the spool is */
	int64_t inodes_used, inodes_all;
	int64_t received, sent; /* bytes, of all interfaces but loopback */
};

void host_read(const char *spool_dir, struct host *out);

struct process {
	int64_t pid;
	int64_t ticks; /* CPU time, user and system */
	int64_t resident; /* bytes */
	char state; /* as /proc shows it, 0: no such process */
};

void process_read(int64_t pid, struct process *out);
/* Ticks a second. */
int64_t host_tick_rate(void);

#endif
