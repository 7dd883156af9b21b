/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Threads that take sync jobs from one queue.
 */
#include "sync_pool.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"

#define THREADS_MAX 64

/* The jobs of one call. */
struct sync_group {
	size_t open; /* not done */
	pthread_cond_t done;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct list waiting; /* under lock */
	bool is_stopping;
	pthread_t threads[THREADS_MAX];
	int thread_count;
} self = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.work = PTHREAD_COND_INITIALIZER,
	.waiting = LIST_INIT(self.waiting),
};

/* Called and left with the lock held. */
static void
do_job(struct sync_job *job)
{
	int failed;

	pthread_mutex_unlock(&self.lock);
	failed = job->is_folder ? fsync(job->fd) : fdatasync(job->fd);
	job->error = failed != 0 ? errno : 0;
	pthread_mutex_lock(&self.lock);
	if (--job->group->open == 0)
		pthread_cond_signal(&job->group->done);
}

static struct sync_job *
take_job(void)
{
	struct list *n = list_pop(&self.waiting);

	return n != NULL ? list_entry(n, struct sync_job, node) : NULL;
}

static void *
thread_run(void *arg)
{
	struct sync_job *job;

	(void)arg;
	pthread_mutex_lock(&self.lock);
	while (!self.is_stopping) {
		job = take_job();
		if (job != NULL)
			do_job(job);
		else
			pthread_cond_wait(&self.work, &self.lock);
	}
	pthread_mutex_unlock(&self.lock);
	return NULL;
}

void
sync_pool_run(struct sync_job *jobs, size_t count)
{
	struct sync_group group = { .open = count,
				    .done = PTHREAD_COND_INITIALIZER };
	struct sync_job *job;
	size_t i;

	pthread_mutex_lock(&self.lock);
	for (i = 0; i < count; i++) {
		jobs[i].group = &group;
		jobs[i].error = 0;
		list_push(&self.waiting, &jobs[i].node);
		if (i > 0)
			pthread_cond_signal(&self.work);
	}
	while (group.open > 0) {
		job = take_job();
		if (job != NULL)
			do_job(job);
		else
			pthread_cond_wait(&group.done, &self.lock);
	}
	pthread_mutex_unlock(&self.lock);
	pthread_cond_destroy(&group.done);
}

void
sync_pool_start(int threads)
{
	int failed;

	self.is_stopping = false;
	for (self.thread_count = 0;
	     self.thread_count < threads && self.thread_count < THREADS_MAX;
	     self.thread_count++) {
		failed = pthread_create(&self.threads[self.thread_count], NULL,
					thread_run, NULL);
		if (failed != 0)
			fatal(EX_OSERR, "committer: thread: %s",
			      strerror(failed));
	}
}

void
sync_pool_stop(void)
{
	int i;

	pthread_mutex_lock(&self.lock);
	self.is_stopping = true;
	pthread_cond_broadcast(&self.work);
	pthread_mutex_unlock(&self.lock);
	for (i = 0; i < self.thread_count; i++)
		pthread_join(self.threads[i], NULL);
	self.thread_count = 0;
}
