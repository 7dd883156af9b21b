/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading /proc.  It is the kernel's, but a container may show it in
 * parts: what is missing stays -1.
 */
#include "host.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "str.h"

#define PROC_MAX (256 * 1024) /* bytes of one file */

static bool
read_proc(const char *path, struct buf *b)
{
	buf_clear(b);
	return file_read(path, b, PROC_MAX, NULL) == 0;
}

/* Whole numbers parted by blanks, from s on; how many there are. */
static int
numbers(const char *s, int64_t *out, int max)
{
	char *end;
	int n;

	for (n = 0; n < max; n++) {
		while (*s == ' ' || *s == '\t')
			s++;
		if (!ascii_isdigit((unsigned char)*s) && *s != '-')
			break;
		out[n] = strtoll(s, &end, 10);
		if (end == s)
			break;
		s = end;
	}
	return n;
}

static void
read_cpu(struct host *h, struct buf *b)
{
	int64_t n[8];
	int count, i;

	h->cpu_busy = h->cpu_all = -1;
	h->cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (!read_proc("/proc/stat", b) || !str_has_prefix(buf_str(b), "cpu "))
		return;
	count = numbers(buf_str(b) + 4, n, 8);
	if (count < 5)
		return;
	for (h->cpu_all = 0, i = 0; i < count; i++)
		h->cpu_all += n[i];
	h->cpu_busy = h->cpu_all - n[3] - n[4]; /* idle, waiting for disks */
}

/* In bytes; -1 when there is no such line. */
static int64_t
meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	int64_t kb;

	if (at == NULL || numbers(at + strlen(name), &kb, 1) != 1)
		return -1;
	return kb * 1024;
}

static void
read_memory(struct host *h, struct buf *b)
{
	int64_t left, swap_left;

	h->memory_used = h->memory_all = h->swap_used = h->swap_all = -1;
	if (!read_proc("/proc/meminfo", b))
		return;
	h->memory_all = meminfo(buf_str(b), "MemTotal:");
	left = meminfo(buf_str(b), "MemAvailable:");
	h->swap_all = meminfo(buf_str(b), "SwapTotal:");
	swap_left = meminfo(buf_str(b), "SwapFree:");
	if (left >= 0)
		h->memory_used = h->memory_all - left;
	if (swap_left >= 0)
		h->swap_used = h->swap_all - swap_left;
}

static void
read_load(struct host *h)
{
	double load[3];
	int n = getloadavg(load, 3), i;

	for (i = 0; i < 3; i++)
		h->load[i] = i < n ? (int64_t)(load[i] * 100 + 0.5) : -1;
}

static void
read_disk(struct host *h, const char *dir)
{
	struct statvfs v;

	h->disk_used = h->disk_all = h->disk_free = -1;
	h->inodes_used = h->inodes_all = -1;
	if (statvfs(dir, &v) != 0)
		return;
	h->disk_free = (int64_t)(v.f_bavail * v.f_frsize);
	h->disk_used = (int64_t)((v.f_blocks - v.f_bfree) * v.f_frsize);
	/* What only root may fill is neither used nor to be had. */
	h->disk_all = h->disk_used + h->disk_free;
	h->inodes_all = (int64_t)v.f_files;
	h->inodes_used = (int64_t)(v.f_files - v.f_ffree);
}

static void
read_network(struct host *h, struct buf *b)
{
	const char *line, *colon;
	int64_t n[9];

	h->received = h->sent = -1;
	if (!read_proc("/proc/net/dev", b))
		return;
	for (line = buf_str(b); line != NULL && *line != '\0';
	     line = strchr(line, '\n')) {
		line += *line == '\n';
		colon = strchr(line, ':');
		if (colon == NULL)
			break;
		if (memchr(line, '\n', (size_t)(colon - line)) != NULL)
			continue; /* a head */
		line += strspn(line, " ");
		if (numbers(colon + 1, n, 9) != 9 ||
		    str_has_prefix(line, "lo:"))
			continue;
		h->received = (h->received < 0 ? 0 : h->received) + n[0];
		h->sent = (h->sent < 0 ? 0 : h->sent) + n[8];
	}
}

void
host_read(const char *spool_dir, struct host *out)
{
	struct buf b = { 0 };

	read_cpu(out, &b);
	read_memory(out, &b);
	read_load(out);
	read_disk(out, spool_dir);
	read_network(out, &b);
	buf_release(&b);
}

void
process_read(int64_t pid, struct process *out)
{
	struct buf b = { 0 };
	const char *behind;
	int64_t n[21];
	char path[64];

	*out = (struct process){ .pid = pid, .ticks = -1, .resident = -1 };
	str_fmt(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	/* Behind the name, which may hold anything, stands the state. */
	if (pid > 0 && read_proc(path, &b) &&
	    (behind = strrchr(buf_str(&b), ')')) != NULL && behind[1] == ' ' &&
	    behind[2] != '\0' && numbers(behind + 3, n, 21) == 21) {
		out->state = behind[2];
		out->ticks = n[10] + n[11];
		out->resident = n[20] * sysconf(_SC_PAGESIZE);
	}
	buf_release(&b);
}

int64_t
host_tick_rate(void)
{
	return sysconf(_SC_CLK_TCK);
}
