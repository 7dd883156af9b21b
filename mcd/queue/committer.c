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
	struct list removing; /* what waits and only unlinks */
	int removers; /* threads that unlink */
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
take_batch(struct list *from, struct list *batch)
{
	size_t ops = 0, files = 0;
	struct commit_op *op;

	while (!list_is_empty(from) && ops < COMMITTER_BATCH_OPS) {
		op = list_entry(from->next, struct commit_op, node);
		files += op->file_count;
		if (ops > 0 && files > COMMITTER_BATCH_FILES)
			break;
		ops++;
		list_del(&op->node);
		list_push(batch, &op->node);
	}
}

/*
 * An unlink may wait for the disk (a discard), so no commit is in a batch
 * with those that only unlink, nor do these take all threads.  One thread is
 * theirs while there are any, so that they never pile up.  Lock is held.
 */
static bool
is_to_remove(bool has_removed)
{
	if (list_is_empty(&self.removing) ||
	    (self.removers > 0 && self.removers >= self.thread_count - 1))
		return false;
	if (list_is_empty(&self.waiting))
		return true;
	return self.removers == 0 && !has_removed;
}

static void *
thread_run(void *arg)
{
	struct batch_folders folders;
	bool removes = false;
	struct list batch;

	(void)arg;
	batch_folders_init(&folders, self.spool_fd);
	folders.key = self.key;
	list_init(&batch);
	pthread_mutex_lock(&self.lock);
	for (;;) {
		removes = is_to_remove(removes);
		take_batch(removes ? &self.removing : &self.waiting, &batch);
		if (list_is_empty(&batch) && self.is_stopping)
			break;
		if (list_is_empty(&batch)) {
			pthread_cond_wait(&self.work, &self.lock);
			continue;
		}
		self.removers += removes;
		pthread_mutex_unlock(&self.lock);
		batch_run(&folders, &batch);
		pthread_mutex_lock(&self.lock);
		self.removers -= removes;
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
	list_init(&self.removing);
	list_init(&self.finished);
	self.removers = 0;
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
	list_push(op->file_count > 0 ? &self.waiting : &self.removing,
		  &op->node);
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
