/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The threads of the committer and the loop's side of them: operations go
 * to the threads in order, each thread takes all that wait as one batch,
 * and what is done comes back by an eventfd.
 */
#include "committer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "file.h"
#include "log.h"
#include "sync_pool.h"
#include "wake.h"
#include "xalloc.h"

#define SYNC_THREADS 24

static struct {
	int spool_fd;
	const struct trailer_key *key;
	pthread_t threads[COMMITTER_THREADS_MAX];
	int thread_count;
	pthread_mutex_t lock;
	pthread_cond_t work;
	/* under lock */
	struct list waiting, finished;
	int64_t batches;
	bool is_stopping;
	/* of the loop */
	size_t pending;
	struct wake wake;
} self = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.work = PTHREAD_COND_INITIALIZER,
};

struct commit_op *
commit_op_new(size_t files, size_t unlinks)
{
	struct commit_op *op = xcalloc(1, sizeof(*op));
	size_t i;

	op->files = xcalloc(files + 1, sizeof(*op->files));
	op->file_count = files;
	for (i = 0; i < files; i++)
		op->files[i].fd = -1;
	op->unlinks = xcalloc(unlinks + 1, sizeof(*op->unlinks));
	op->unlink_count = unlinks;
	return op;
}

void
commit_op_free(struct commit_op *op)
{
	size_t i;

	for (i = 0; i < op->file_count; i++) {
		file_shut(&op->files[i].fd);
		buf_release(&op->files[i].text);
	}
	free(op->files);
	free(op->unlinks);
	free(op);
}

/* Takes what waits, within the bounds of a batch; lock is held. */
static void
take_batch(struct list *batch)
{
	size_t ops = 0, files = 0;
	struct commit_op *op;

	while (!list_is_empty(&self.waiting) && ops < COMMITTER_BATCH_OPS) {
		op = list_entry(self.waiting.next, struct commit_op, node);
		files += op->file_count;
		if (ops > 0 && files > COMMITTER_BATCH_FILES)
			break;
		ops++;
		list_del(&op->node);
		list_push(batch, &op->node);
	}
}

static void *
thread_run(void *arg)
{
	struct batch_folders folders;
	struct list batch;

	(void)arg;
	batch_folders_init(&folders, self.spool_fd);
	folders.key = self.key;
	list_init(&batch);
	pthread_mutex_lock(&self.lock);
	for (;;) {
		take_batch(&batch);
		if (list_is_empty(&batch) && self.is_stopping)
			break;
		if (list_is_empty(&batch)) {
			pthread_cond_wait(&self.work, &self.lock);
			continue;
		}
		pthread_mutex_unlock(&self.lock);
		batch_run(&folders, &batch);
		pthread_mutex_lock(&self.lock);
		list_splice(&self.finished, &batch);
		self.batches++;
		wake_send(&self.wake);
	}
	pthread_mutex_unlock(&self.lock);
	batch_folders_release(&folders);
	return NULL;
}

static void
finish_all(void *arg)
{
	struct list done, *n;
	struct commit_op *op;
	struct err e;

	(void)arg;
	list_init(&done);
	pthread_mutex_lock(&self.lock);
	list_splice(&done, &self.finished);
	pthread_mutex_unlock(&self.lock);
	while ((n = list_pop(&done)) != NULL) {
		op = list_entry(n, struct commit_op, node);
		self.pending--;
		e = op->e; /* done() may free op before it reads e */
		op->done(op, op->result, &e);
	}
	wake_expect(&self.wake, self.pending > 0);
}

void
committer_start(int spool_fd, const struct trailer_key *key, int threads)
{
	sigset_t all, before;
	int i, failed;

	self.spool_fd = spool_fd;
	self.key = key;
	self.is_stopping = false;
	self.pending = 0;
	list_init(&self.waiting);
	list_init(&self.finished);
	if (wake_init(&self.wake, finish_all, NULL) != 0)
		fatal(71, "committer: eventfd: %s", strerror(errno));
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	sync_pool_start(SYNC_THREADS);
	self.thread_count = 0;
	for (i = 0; i < threads && i < COMMITTER_THREADS_MAX; i++) {
		failed = pthread_create(&self.threads[i], NULL, thread_run,
					NULL);
		if (failed != 0)
			fatal(71, "committer: thread: %s", strerror(failed));
		self.thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
committer_submit(struct commit_op *op)
{
	self.pending++;
	wake_expect(&self.wake, true);
	pthread_mutex_lock(&self.lock);
	list_push(&self.waiting, &op->node);
	pthread_cond_signal(&self.work);
	pthread_mutex_unlock(&self.lock);
}

size_t
committer_pending(void)
{
	return self.pending;
}

int64_t
committer_batches(void)
{
	int64_t n;

	pthread_mutex_lock(&self.lock);
	n = self.batches;
	self.batches = 0;
	pthread_mutex_unlock(&self.lock);
	return n;
}

void
committer_stop(void)
{
	int i;

	pthread_mutex_lock(&self.lock);
	self.is_stopping = true;
	pthread_cond_broadcast(&self.work);
	pthread_mutex_unlock(&self.lock);
	for (i = 0; i < self.thread_count; i++)
		pthread_join(self.threads[i], NULL);
	self.thread_count = 0;
	sync_pool_stop();
	/* A done() that submits has nobody left to do it. */
	finish_all(NULL);
	wake_release(&self.wake);
}
